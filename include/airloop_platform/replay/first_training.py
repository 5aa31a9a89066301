"""When a pipeline without a champion is trained for the first time: as soon as its declaration allows."""

from datetime import datetime, timedelta

import pandas as pd

from airloop.config import OF_VALUES, Pipeline
from airloop.errors import DataContractError
from airloop.features import examples
from airloop.models.evidence import MIN_ROWS
from airloop.models.reserve import learnable
from airloop.models.training_rows import parts
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores.ledger import History

_MORE_TIME = 1.25
"""A first candidate that was refused is followed by another when the data reach this many times as far."""


def lacking(pipeline: Pipeline, cutoff: datetime, history: History, settings: Settings) -> str:
    """What a first training with this cutoff still lacks, in words; empty when it can be asked for.

    Asked for are `min_train_rows` labelled training rows, 30 labelled holdout rows (fewer have no metric) and, of a
    task with classes, two different labels in both parts. Only examples and labels are counted; no feature is built.
    """
    try:
        train, holdout = parts(pipeline, cutoff)
    except DataContractError:
        days = pipeline.training.holdout_days + pipeline.training.embargo_days
        return f"the holdout of {days} days and the label delay leave nothing to train on"
    refused = max((entry.effective_at for entry in history.of("decision")), default=None)
    if refused is not None:
        since = pipeline.coverage.start
        due = since + _MORE_TIME * (refused - since)
        if cutoff < due:
            return f"the candidate of {refused:%Y-%m-%d} was refused, the next is trained from {due:%Y-%m-%d} on"
    needs = {"training": (train, pipeline.training.min_train_rows), "holdout": (holdout, MIN_ROWS)}
    for part, (span, least) in needs.items():
        if pipeline.prediction.task == "anomaly":
            continue
        labels = _labels(pipeline, span, cutoff, settings, learned=part == "training")
        if len(labels) < least:
            return f"{len(labels):,} labelled {part} rows, {least:,} are needed"
        if pipeline.prediction.task not in OF_VALUES and labels.nunique() < 2:
            return f"all {len(labels):,} labels of the {part} rows are the same"
    return ""


def _labels(pipeline: Pipeline, span: Window, cutoff: datetime, settings: Settings, *, learned: bool) -> pd.Series:
    """Labels of the examples decided in `span`, as known at the cutoff; of those that are learned from, or of all."""
    rows = examples.examples(pipeline, span, settings).to_pandas()
    rows = learnable(rows, pipeline.training.reserve_days if learned else None)
    known = rows[pipeline.prediction.entity_key].map(examples.labels(pipeline, span, settings, as_of=cutoff))
    absent = pipeline.prediction.labels
    if absent is not None:
        waited = rows["decision_time"] + timedelta(days=absent.absent_after_days) <= cutoff
        known = known.mask(known.isna() & waited, absent.means)
    labels: pd.Series = known.dropna()
    return labels
