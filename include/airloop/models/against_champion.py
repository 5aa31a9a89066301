"""The champion on the candidate's holdout, and what keeps it from being compared."""

from dataclasses import dataclass, field

import pandas as pd

from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import gate_evidence, model_version
from airloop.models.metric_values import metric_values
from airloop.models.model_version import ModelVersion
from airloop.problems import Floats, task_of
from airloop.records import Evidence, Snapshot


@dataclass(frozen=True)
class AgainstChampion:
    """The champion's metrics, the evidence against it, and what kept either from being made (see Evaluated).

    Attributes:
        predicted: Its predictions of the holdout's labelled rows; None when it was not compared.
        version: The judged version that was compared in place of its refit; None: the champion itself.
        model: What was compared.
    """

    metrics: dict[str, float | None] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    problems: tuple[str, ...] = ()
    not_comparable: str = ""
    predicted: Floats | None = None
    version: int | None = None
    model: ModelVersion | None = None


def against_champion(
    at: Deployment, version: int | None, snapshot: Snapshot, *, rows: pd.DataFrame, predicted: Floats, looks: int
) -> AgainstChampion:
    """The champion on labelled rows of the holdout, beside what the candidate predicts for them.

    Args:
        version: The champion; None: there is none, and nothing is compared.
        looks: How often the holdout was looked at before.

    Raises:
        UpstreamUnavailable: MLflow does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    if version is None:
        return AgainstChampion()
    try:
        champion = model_version.load_unseen(pipeline, version, settings, start=snapshot.holdout.start)
        if unfit := champion.unfit_for(pipeline, settings):
            return AgainstChampion(not_comparable=unfit[0])
        if other := model_version.other_labels(pipeline, champion, settings):
            return AgainstChampion(not_comparable=other)
        if problem := _overlap(champion, snapshot):
            return AgainstChampion(problems=(problem,))
        theirs = champion.predict(pipeline, rows)
    except GuardRefused as error:
        return AgainstChampion(not_comparable=str(error))
    evidence, problems = gate_evidence.compare(pipeline, rows, theirs, predicted, looks=looks)
    values = metric_values(task_of(pipeline), rows["label"], theirs)
    instead = None if champion.version == version else champion.version
    return AgainstChampion(values, evidence, problems, predicted=theirs, version=instead, model=champion)


def _overlap(champion: ModelVersion, snapshot: Snapshot) -> str:
    """Why the champion's predictions of this holdout are not a test of it; empty when they are."""
    if champion.learned_until <= snapshot.holdout.start:
        return ""
    return (
        f"overlapping holdout: champion version {champion.version} was trained on rows up to "
        f"{champion.learned_until:%Y-%m-%d}, the holdout starts at {snapshot.holdout.start:%Y-%m-%d}: "
        "take a later cutoff"
    )
