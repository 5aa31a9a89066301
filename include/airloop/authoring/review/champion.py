"""What a change is measured against: the champion in force here, or else the declaration of the base, trained alike."""

from dataclasses import dataclass, replace

import pandas as pd

from airloop.authoring.review.backtest import Backtest
from airloop.errors import GuardRefused
from airloop.gate.judge import judge as judge_version
from airloop.models import gate_evidence, model_version
from airloop.models.metric_values import metric_values
from airloop.models.training_set import labelled_part, read_snapshot
from airloop.problems import PREDICTION, Floats, task_of
from airloop.records import Decision, Evaluated, Snapshot
from airloop.settings import Settings
from airloop.stores import ledger, state

_UNREGISTERED = 0
"""The change's version in the decision: it is registered nowhere, and no champion has this number."""


@dataclass(frozen=True)
class Baseline:
    """A model to measure against.

    Attributes:
        who: In words, like `version 3, in force here since 2013-06-01`.
        candidate: The family that won its tuning.
        snapshot: What it was trained on.
        predicted: Its predictions of the change's holdout rows, in their order.
    """

    who: str
    version: int
    candidate: str
    snapshot: Snapshot
    predicted: Floats


def in_force(change: Backtest, settings: Settings) -> Baseline:
    """The installation's champion at the cutoff, predicting the change's holdout; the installation is only read.

    Raises:
        GuardRefused: There is none, it does not load or predict, its features mean something else in the change, or it
            was trained on rows of this holdout.
        UpstreamUnavailable: A store of the installation does not answer.
    """
    pipeline, cutoff = change.pipeline, change.snapshot.cutoff
    version = ledger.champion_at(settings, pipeline.name, cutoff) if state.exists(settings) else None
    if version is None:
        raise GuardRefused(f"no champion was in force here at {cutoff:%Y-%m-%d}")
    champion = model_version.load_unseen(pipeline, version, settings, start=change.snapshot.holdout.start)
    if unfit := champion.unfit_for(pipeline, change.settings):
        raise GuardRefused(f"version {version}, in force here, was trained on other features: {unfit[0]}")
    if other := model_version.other_labels(pipeline, champion, change.settings):
        raise GuardRefused(f"version {version}, in force here, has learned other labels: {other}")
    if champion.learned_until > change.snapshot.holdout.start:
        raise GuardRefused(
            f"version {version}, in force here, was trained on rows up to {champion.learned_until:%Y-%m-%d}, and "
            f"the holdout starts at {change.snapshot.holdout.start:%Y-%m-%d}"
        )
    rows = labelled_part(read_snapshot(change.snapshot, change.settings), "holdout")
    predicted = champion.predict(pipeline, rows)
    return Baseline(f"version {version}, in force here", version, champion.candidate, champion.snapshot, predicted)


def of_base(change: Backtest, base: Backtest, who: str) -> Baseline:
    """The base's declaration as champion, both trained over the same span.

    Raises:
        GuardRefused: It was judged on other rows, or on other labels.
    """
    key = change.pipeline.prediction.entity_key
    if base.pipeline.prediction.task != change.pipeline.prediction.task or key not in base.holdout.columns:
        raise GuardRefused(f"{who} predicts something else")
    shared = [key, "decision_time", "label"]
    both = pd.merge(change.holdout[shared], base.holdout, on=shared, how="left", validate="one_to_one")
    common = int(both[PREDICTION].notna().sum())
    if common < len(both) or len(base.holdout) != len(both):
        raise GuardRefused(
            f"{who} is judged on other rows or labels: {common} of the change's {len(both)} are among its "
            f"{len(base.holdout)}"
        )
    predicted = task_of(change.pipeline).from_column(both[PREDICTION])
    return Baseline(who, base.trained.version, base.trained.candidate, base.snapshot, predicted)


def judge(change: Backtest, champion: Baseline | None) -> tuple[Evaluated, Decision]:
    """What the gate would say of the change, asked by hand: with the bootstrap and the inequalities of a training."""
    evaluated = replace(change.evaluated, version=_UNREGISTERED)
    if champion is not None:
        task, labels = task_of(change.pipeline), change.holdout["label"]
        predicted = task.from_column(change.holdout[PREDICTION])
        evidence, problems = gate_evidence.compare(change.pipeline, change.holdout, champion.predicted, predicted)
        evaluated = replace(
            evaluated,
            champion_version=champion.version,
            champion_metrics=metric_values(task, labels, champion.predicted),
            evidence=evidence,
            problems=(*evaluated.problems, *problems),
        )
    return evaluated, judge_version(evaluated, change.pipeline.gate)
