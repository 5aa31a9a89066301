"""What the policies of a backtest share: each training, probe and prediction is made once, and timed."""

import time
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any, TypeVar, cast

import pandas as pd

from airloop.authoring.backtest import ruled
from airloop.authoring.backtest.contender import Contender
from airloop.authoring.backtest.past import Past
from airloop.errors import DataContractError
from airloop.models import estimators, several_fits, threshold_choice, vote, without_labels
from airloop.models.choice import Incumbent, choose
from airloop.models.fold_answers import FoldAnswers
from airloop.models.gate_evidence import compare
from airloop.models.history import evenly, learned_since
from airloop.models.metric_values import metric_values
from airloop.models.refit_checks import agreement
from airloop.models.reserve import RESERVE, learnable
from airloop.models.training_rows import parts, with_parts
from airloop.models.training_set import labelled_part, learned_part, learned_rows, searched_part
from airloop.models.tune import search_of
from airloop.problems import PREDICTION, Floats, task_of
from airloop.records import Evaluated, Evidence, TunedCandidate, Window
from airloop.watch import drift, performance, rhythm
from airloop.watch.drift import Sides

Made = TypeVar("Made")


class Work:
    """The real stages' functions on a past in memory.

    A policy that uses what another one made is told the seconds that it took then: every policy pays in full.
    """

    def __init__(self, past: Past, on_progress: Callable[[str], None]) -> None:
        self.past = past
        self.pipeline = past.pipeline
        self.task = task_of(past.pipeline)
        self._say = on_progress
        self._made: dict[Hashable, tuple[Any, float]] = {}
        self._fitted = 0

    def once(self, key: Hashable, make: Callable[[], Made], says: str = "") -> tuple[Made, float]:
        """What `make` returned for this key, and how many seconds it took."""
        if key not in self._made:
            if says:
                self._say(says)
            began = time.perf_counter()
            value = make()
            self._made[key] = value, time.perf_counter() - began
        return cast("tuple[Made, float]", self._made[key])

    def training(self, cutoff: datetime, champion: Contender | None) -> tuple[Contender, float]:
        """Snapshot, tune, train and evaluate's first half at a cutoff, on what was mature and known then.

        Raises:
            DataContractError: Too few rows, or labels that a fold or the model cannot learn from.
        """
        start = None if champion is None else champion.incumbent
        key = ("training", cutoff, start and (start.candidate, str(sorted(start.params.items()))))
        return self.once(key, lambda: self._train(cutoff, start), f"training of {cutoff:%Y-%m-%d}")

    def _train(self, cutoff: datetime, start: Incumbent | None) -> Contender:
        train, holdout = parts(self.pipeline, cutoff)
        known = self.past.for_training(train, as_of=cutoff, end=holdout.end)
        frame = with_parts(self.pipeline, known, train, holdout)
        learned, least = len(learned_part(self.pipeline, frame, "train")), self.pipeline.training.min_train_rows
        if learned < least:
            raise DataContractError(f"{learned} labelled training rows, min_train_rows is {least}")
        rows = searched_part(self.pipeline, frame)
        answers: dict[str, tuple[Floats, ...]] = {}
        tuned = [self._tuned(candidate, rows, start, answers) for candidate in self.pipeline.training.candidates]
        best = vote.tried(self.pipeline, tuned, choose(tuned, start), rows, answers).chosen
        threshold = threshold_choice.chosen_threshold(self.pipeline, best, rows, answers)
        best = best if threshold is None else threshold_choice.with_threshold(best, threshold)
        best = several_fits.with_fits(self.pipeline, best)
        rows = learned_rows(self.pipeline, frame[frame["part"] == "train"], best.params)
        return self._fit(best.candidate, best.params, rows, cutoff=cutoff, frame=frame, parts=(train, holdout))

    def _tuned(
        self, candidate: str, rows: pd.DataFrame, start: Incumbent | None, answers: dict[str, tuple[Floats, ...]]
    ) -> TunedCandidate:
        fold_answers = FoldAnswers()
        search = search_of(self.pipeline, candidate, rows, start, answers=fold_answers)
        answers[candidate] = fold_answers.of(search["params"], len(search["fold_scores"]))
        trials, scores = len(search["trials"]), tuple(search["fold_scores"])
        return TunedCandidate(candidate, search["params"], search["score"], trials, search["seconds"], "", scores)

    def _fit(
        self,
        candidate: str,
        params: dict[str, Any],
        rows: pd.DataFrame,
        *,
        cutoff: datetime,
        frame: pd.DataFrame,
        parts: tuple[Window, Window],
        refit_of: Contender | None = None,
    ) -> Contender:
        features, mature = list(self.past.features), learned_part(self.pipeline, frame, "holdout")
        model = estimators.fitted_model(self.pipeline, candidate, params, rows, features)
        self._fitted += 1
        every, labelled = self.task.predict(model, mature[features]), mature["label"].notna().to_numpy()
        return Contender(
            number=self._fitted,
            candidate=candidate,
            params=params,
            features=self.past.features,
            model=model,
            cutoff=cutoff,
            train=parts[0],
            holdout=parts[1],
            reference=rows[features],
            held_out=mature[labelled].reset_index(drop=True),
            held_out_predictions=every[labelled],
            mature_predictions=every,
            frame=frame if self.task.learns_without_labels else None,
            kept_back=labelled_part(frame, RESERVE),
            refit_of=refit_of,
        )

    def goes_in_force(self, judged: Contender) -> tuple[Contender, float]:
        """Its refit on all mature rows, as declared; itself without one, or when the refit does not agree with it."""
        if self.pipeline.training.refit.on == "none":
            return judged, 0.0
        return self.once(("refitted", judged.number), lambda: self._refitted(judged))

    def _refitted(self, judged: Contender) -> Contender:
        whole = Window(judged.train.start, judged.holdout.end)
        known = self.past.for_training(judged.train, as_of=judged.cutoff, end=judged.holdout.end)
        frame = with_parts(self.pipeline, known, judged.train, judged.holdout)
        rows = learnable(learned_rows(self.pipeline, frame, judged.params), self.pipeline.training.reserve_days)
        again = self._fit(
            judged.candidate,
            judged.params,
            rows,
            cutoff=judged.cutoff,
            frame=frame,
            parts=(whole, judged.holdout),
            refit_of=judged,
        )
        agreed = agreement(
            self.task,
            judged.mature_predictions,
            again.mature_predictions,
            max_difference=self.pipeline.training.refit.max_difference,
        )
        if agreed.problem:
            self._say(f"refit at {judged.cutoff:%Y-%m-%d} is left out: {agreed.problem}")
        return judged if agreed.problem else again

    def evaluation(self, contender: Contender, champion: Contender | None, *, reason: str) -> Evaluated:
        """Candidate and champion on the candidate's holdout."""
        rows = contender.held_out
        evidence: tuple[Evidence, ...] = ()
        problems: tuple[str, ...] = ()
        champion_predictions: Floats | None = None
        against: Contender | None = None
        unlabelled = without_labels.reason(self.pipeline, rows)
        if champion is not None and not unlabelled:
            against = champion.unseen(contender.holdout.start)
            theirs, _ = self.once(
                ("holdout", against.number, contender.number),
                lambda: self.task.predict(against.model, rows[list(against.features)]),
            )
            evidence, problems = compare(self.pipeline, rows, theirs, contender.held_out_predictions)
            champion_predictions = theirs
            if against.train.end > contender.holdout.start:
                problems = (*problems, f"overlapping holdout: it was trained up to {against.train.end:%Y-%m-%d}")
        return Evaluated(
            model_name=self.pipeline.name,
            version=contender.number,
            champion_version=None if champion is None else champion.number,
            metrics=metric_values(self.task, rows["label"], contender.held_out_predictions),
            champion_metrics={},
            evidence=evidence,
            holdout=contender.holdout,
            holdout_rows=len(rows),
            unlabelled=unlabelled,
            cutoff=contender.cutoff,
            reason=reason,
            reason_key="backtest",
            problems=problems,
            measured=ruled.measured(self.pipeline, contender, champion_predictions, against),
        )

    def scored(self, model: Contender, window: Window) -> tuple[pd.DataFrame, float]:
        """Entity key, decision_time, prediction of every row decided in the window."""
        return self.once(("scored", model.number, window), lambda: self._score(model, window))

    def _score(self, model: Contender, window: Window) -> pd.DataFrame:
        rows = self.past.known(window, as_of=window.start)
        predicted = self.task.predict(model.model, rows[list(model.features)])
        key = self.pipeline.prediction.entity_key
        return rows[[key, "decision_time"]].assign(**{PREDICTION: list(predicted)})

    def probe(
        self, champion: Contender, window: Window, judged: pd.DataFrame, *, since: datetime
    ) -> tuple[tuple[Evidence, ...], float]:
        """Monitoring's probe on the judged rows of a look; nothing when they are too few."""
        key = ("probe", champion.number, window)
        says = f"probe of {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"
        return self.once(key, lambda: self._probe(champion, window, judged, since), says)

    def _probe(
        self, champion: Contender, window: Window, judged: pd.DataFrame, since: datetime
    ) -> tuple[Evidence, ...]:
        cutoffs = rhythm.probe_cutoffs(self.pipeline, window, since)

        def refit(cutoff: datetime) -> Any:
            return self.once(("refit", champion.number, cutoff), lambda: self._refit(champion, cutoff))[0]

        return performance.probe_evidence(self.pipeline, (*cutoffs, window.end), judged, champion.features, refit)

    def _refit(self, champion: Contender, cutoff: datetime) -> Any:
        until = cutoff - self.pipeline.prediction.label_delay
        if until <= self.past.span.start:
            return None
        known = self.past.known(Window(learned_since(self.pipeline, until), until), as_of=cutoff)
        known = learnable(learned_rows(self.pipeline, known, champion.params), self.pipeline.training.reserve_days)
        known = known.iloc[evenly(len(known), self.pipeline.training.max_train_rows)]
        labels = known["label"] if self.task.learns_without_labels else known["label"].dropna()
        if len(labels) < self.pipeline.training.min_train_rows or not self.task.can_learn(labels):
            return None
        return estimators.fitted_model(
            self.pipeline, champion.candidate, champion.params, known, list(champion.features)
        )

    def drifted_share(self, champion: Contender, rows: pd.DataFrame, window: Window) -> tuple[float | None, float]:
        """Monitoring's drifted share of the rows against the champion's training rows."""
        return self.once(("drift", champion.number, window), lambda: self._drifted_share(champion, rows))

    def _drifted_share(self, champion: Contender, rows: pd.DataFrame) -> float | None:
        features, none = list(champion.features), pd.Series(dtype="float64")
        then = drift.reference(Sides(champion.reference, none, self.past.categories, self.pipeline.training.text))
        now, threshold = Sides(rows[features], none), self.pipeline.monitoring.psi_threshold
        return drift.measure(then, now, ignore=self.past.ignored, threshold=threshold).share
