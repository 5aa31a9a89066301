"""Whether the labels mean today what they meant to a version: the same text does, another one may.

A version whose labels were turned round, or counted from another limit on, answers a question that nobody asks any
more. Where the text that makes labels is another one, today's labels of the rows of its own holdout, as they were known
then, are compared with those in its frozen training set: a rewritten query that gives the same labels is the same.
"""

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.errors import AirloopError, UpstreamUnavailable
from airloop.features import examples, label_meaning
from airloop.models.model_version.version import ModelVersion
from airloop.models.training_set import labelled_part, read_snapshot
from airloop.problems import Floats
from airloop.settings import Settings

_MOST_DIFFERENT = 0.01
"""A share of the rows: outcomes that are corrected later change some labels of any query."""
_TURNED = 0.9


def other_labels(pipeline: Pipeline, model: ModelVersion, settings: Settings) -> str:
    """Why today's labels do not mean what the version learned; empty where they do.

    Empty, too, for a version of an older airloop, which does not say what its labels meant.

    Raises:
        UpstreamUnavailable: A store does not answer.
    """
    learned = model.snapshot.labels_fingerprint
    if not learned or learned == label_meaning.fingerprint(pipeline, settings):
        return ""
    begins = f"the labels of {pipeline.name} are made by another query than when version {model.version} learned"
    try:
        then, now = _labels(pipeline, model, settings)
    except UpstreamUnavailable:
        raise
    except AirloopError as error:
        return f"{begins}, and today's cannot be compared with those: {error}"
    if len(then) and np.isnan(now).all():
        return f"{begins}: today's gives none of the {len(then):,} labelled rows of its holdout a label"
    different = ~np.isclose(then, now, rtol=1e-9, atol=0)  # a label that is not there today is different, too
    if len(then) and different.mean() <= _MOST_DIFFERENT:
        return ""
    says = f"{int(different.sum()):,} of {len(then):,} rows of its holdout have another label today"
    turned = pipeline.prediction.task == "binary" and len(then) and np.mean(now == 1 - then) > _TURNED
    return f"{begins}: {says}{' (0 and 1 are turned round)' if turned else ''}"


def _labels(pipeline: Pipeline, model: ModelVersion, settings: Settings) -> tuple[Floats, Floats]:
    """Of each labelled row of its holdout, the frozen label and today's as it was known at the cutoff."""
    snapshot = model.snapshot
    rows = labelled_part(read_snapshot(snapshot, settings), "holdout")
    known = examples.labels(pipeline, snapshot.holdout, settings, as_of=snapshot.cutoff)
    labels: pd.Series = rows[pipeline.prediction.entity_key].map(known).astype("float64")
    labels = examples.with_absent(pipeline, labels, rows["decision_time"], snapshot.cutoff)
    return rows["label"].to_numpy(np.float64), labels.to_numpy(np.float64)
