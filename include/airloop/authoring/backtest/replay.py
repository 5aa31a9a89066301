"""One policy from the first model to the end of the past, window after window, as the stages would have gone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pandas as pd

from airloop.authoring.backtest.contender import Contender
from airloop.authoring.backtest.policies import Policy
from airloop.authoring.backtest.work import Work
from airloop.errors import DataContractError
from airloop.gate.judge import judge
from airloop.models.gate_evidence import compare
from airloop.models.history import learned_growth
from airloop.problems import PREDICTION
from airloop.records import TAKE_BACK, Decision, Evidence, Monitored, Window
from airloop.stores.ledger import promises
from airloop.stores.training_reason import PROBE
from airloop.watch import performance, rhythm
from airloop.watch.triage import Known, triage_window


@dataclass(frozen=True)
class Training:
    """One training of a policy.

    Attributes:
        outcome: promoted, refused or failed; `why` is the gate's sentence.
        gain: On the holdout, in the gate's metric.
        after: What it gained on the first rows after its promotion; None where no look had enough of them, or none of
            the policy's looks measures it.
        taken_back_at: From when on the model before is in force again, by `gate.probation`.
    """

    cutoff: datetime
    outcome: str
    why: str
    candidate: str = ""
    gain: float | None = None
    after: Evidence | None = None
    taken_back_at: datetime | None = None


@dataclass
class Course:
    """What a policy did so far.

    Attributes:
        in_force: Contenders with the instant each went into force at, oldest first.
        unmeasured: The contender that the newest promotion replaced, until a look measures what it gained.
        seconds: Of compute: tuning, fits, probes, drift, predictions.
    """

    in_force: list[tuple[datetime, Contender]]
    unmeasured: Contender | None = None
    trainings: list[Training] = field(default_factory=list)
    monitored: list[Monitored] = field(default_factory=list)
    last_decision_at: datetime | None = None
    seconds: float = 0.0

    def champion(self, at: datetime) -> tuple[datetime, Contender]:
        """Who is in force at an instant, and since when."""
        return [item for item in self.in_force if item[0] <= at][-1]

    def promote(self, at: datetime, contender: Contender) -> None:
        """Another contender is in force from `at` on."""
        self.unmeasured = self.in_force[-1][1]
        self.in_force.append((at, contender))

    def note_after_promotion(self, **measured: object) -> None:
        """Say on the newest training that was promoted what came of it."""
        newest = max(place for place, training in enumerate(self.trainings) if training.outcome == "promoted")
        self.trainings[newest] = replace(self.trainings[newest], **measured)  # type: ignore[arg-type]


def first_model(work: Work, windows: Sequence[Window], earliest: datetime) -> tuple[Contender, float]:
    """The first training whose candidate passes the gate's floors, at the end of a window from `earliest` on.

    Raises:
        DataContractError: None passes; says why the newest did not.
    """
    why, seconds = "no window is long enough before the end", 0.0
    for window in windows:
        if window.end < earliest:
            continue
        try:
            contender, took = work.training(window.end, None)
        except DataContractError as error:
            why = str(error)
            continue
        seconds += took
        decision = judge(work.evaluation(contender, None, reason="hand"), work.pipeline.gate, reason="hand")
        if decision.passed:
            in_force, took = work.goes_in_force(contender)
            return in_force, seconds + took
        why = decision.why
    raise DataContractError(f"{work.pipeline.name}: no first model passed the gate: {why}")


def follow(policy: Policy, work: Work, windows: Sequence[Window], first: Contender, seconds: float) -> Course:
    """The course of a policy over windows that start at the first model's cutoff or later."""
    course = Course([(first.cutoff, first)], last_decision_at=first.cutoff, seconds=seconds)
    for window in windows:
        watched = _Watched(work, course, window)
        reason = policy.asks(watched)
        # A model trained at the end of the past would never be in force.
        if reason and window.end < windows[-1].end:
            _train(policy, work, course, window, reason)
    return course


def _train(policy: Policy, work: Work, course: Course, window: Window, reason: str) -> None:
    champion = course.champion(window.end)[1]
    try:
        contender, took = work.training(window.end, champion)
    except DataContractError as error:
        course.trainings.append(Training(window.end, "failed", str(error)))
        return
    course.seconds += took
    decision = judge(work.evaluation(contender, champion, reason=reason), work.pipeline.gate, reason=reason)
    if not decision.outside_model:
        course.last_decision_at = window.end
    goes = decision.passed or not policy.gated
    if goes:
        in_force, took = work.goes_in_force(contender)
        course.seconds += took
        course.promote(window.end, in_force)
    why = decision.why if policy.gated else "no gate"
    outcome = "promoted" if goes else "refused"
    course.trainings.append(Training(window.end, outcome, why, contender.candidate, _gain(decision, work)))


def _gain(decision: Decision, work: Work) -> float | None:
    metric = work.pipeline.gate.compare.metric
    return next((item.gain for item in decision.evidence if item.metric == metric), None)


def _gained(work: Work, before: Contender, judged: pd.DataFrame) -> tuple[Evidence, ...]:
    """A champion's live predictions of judged rows against what the one that it replaced predicts of them."""
    theirs = work.task.predict(before.model, judged[list(before.features)])
    return compare(work.pipeline, judged, theirs, work.task.from_column(judged[PREDICTION]))[0]


class _Watched:
    """What monitoring and triage see of a window that has just ended; computed when asked for."""

    def __init__(self, work: Work, course: Course, window: Window) -> None:
        self._work, self._course, self._window = work, course, window
        self._since, self._champion = course.champion(window.start)
        evidence = rhythm.evidence_window(work.pipeline, window, self._since)
        self._rows_window = rhythm.rows_window(work.pipeline, evidence)

    def drifted_share(self) -> float | None:
        rows = self._work.past.known(self._rows_window, as_of=self._window.end)
        share, took = self._work.drifted_share(self._champion, rows, self._window)
        self._course.seconds += took
        return share

    def triage_asks(self) -> str:
        judged = self._judged()
        probe, took = self._work.probe(self._champion, self._window, judged, since=self._since)
        self._course.seconds += took
        record = self._record(labelled_rows=len(judged), probe=probe)
        known = Known(
            before=tuple(self._course.monitored),
            last_decision_at=self._course.last_decision_at,
            trained_until=self._champion.cutoff,
            growth=learned_growth(self._work.pipeline, self._course.last_decision_at, self._window.end),
            takes_back=self._takes_back(judged),
        )
        action = triage_window(record, known, self._work.pipeline.monitoring)
        self._course.monitored.append(record)
        if action.kind == TAKE_BACK:
            self._course.in_force.append((self._window.end, self._course.in_force[-2][1]))
            self._course.note_after_promotion(taken_back_at=self._window.end)
        return (action.reason or PROBE) if action.kind == "retrain" else ""

    def _takes_back(self, judged: pd.DataFrame) -> str:
        """Why probation takes the champion back; empty where it does not, or this look measures no promotion."""
        before, pipeline = self._course.unmeasured, self._work.pipeline
        if before is None or not performance.may_probe(pipeline, judged):
            return ""
        self._course.unmeasured = None
        key = ("after promotion", self._champion.number, before.number, self._window)
        measured, took = self._work.once(key, lambda: _gained(self._work, before, judged))
        self._course.seconds += took
        metric = pipeline.gate.compare.metric
        self._course.note_after_promotion(after=next((item for item in measured if item.metric == metric), None))
        lost = promises.loss(measured, metric)
        return promises.in_words(None, lost) if lost and pipeline.gate.probation else ""

    def _judged(self) -> pd.DataFrame:
        """Rows with a label known by the window's end, and a live prediction of the champion in force at its start."""
        span = Window(max(self._rows_window.start, self._since), self._rows_window.end)
        rows = self._work.past.known(span, as_of=self._window.end).dropna(subset=["label"])
        predicted, took = self._work.scored(self._champion, span)
        self._course.seconds += took
        key = [self._work.pipeline.prediction.entity_key, "decision_time"]
        return rows.merge(predicted, on=key, how="inner", validate="one_to_one").dropna(subset=[PREDICTION])

    def _record(self, **measured: object) -> Monitored:
        fields = {
            "window": self._window,
            "rows_window": self._rows_window,
            "model_name": self._work.pipeline.name,
            "version": self._champion.number,
            "live": {},
            "drifted_share": None,
            "drifted_features": (),
            "prediction_psi": None,
            "calibration_gap": None,
            "quality": {},
            "origin": "live",
            "report_uri": "",
            "metrics_uri": "",
        }
        return Monitored(**{**fields, **measured})  # type: ignore[arg-type]
