"""The training set of a cutoff: mature rows as they were known, in two parts, proven to leak nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.features import examples, feature_store, label_meaning, leak_check, sections, stale
from airloop.models import memory, outcomes_there, training_set
from airloop.models.history import Thinning, kept_since, learned_since, raised_bounds
from airloop.models.reserve import RESERVE, reserved
from airloop.problems import refuse_unfit_labels, task_of
from airloop.records import Record, Window
from airloop.settings import Settings
from airloop.stores import alarms, lake, tables_read
from airloop.stores.alarms import RaisedAlarm
from airloop.stores.tables_read import TablesRead


@dataclass(frozen=True)
class TrainingReads(Record):
    """What a training set is made of.

    Attributes:
        tables: Features and clean rows up to the cutoff, by `features/<view>` and `clean/<feed>`.
        fingerprint: Of the feature definitions.
        labels: Of what a label means.
        alarms: Those up to the cutoff that hold trainings, with their answers.
    """

    tables: TablesRead
    fingerprint: str
    labels: str
    alarms: tuple[RaisedAlarm, ...]


def look_up(at: Deployment, window: Window) -> TrainingReads:
    """What the tables hold up to the cutoff, the feature definitions, and answered alarms."""
    pipeline, settings = at.pipeline, at.settings
    return TrainingReads(
        tables=tables_read.look_at(_tables(pipeline, settings), settings, window=window),
        fingerprint=feature_store.fingerprint(pipeline, settings),
        labels=label_meaning.fingerprint(pipeline, settings),
        alarms=alarms.holding(pipeline, window, settings),
    )


def parts(pipeline: Pipeline, cutoff: datetime) -> tuple[Window, Window]:
    """Decision times of the training and holdout rows of a cutoff.

    Rows with decision time < cutoff - label delay are mature. The newest `holdout_days` of them are the holdout;
    training ends one embargo before the holdout, and starts with the coverage, or `history_days` before its end.

    Raises:
        DataContractError: The cutoff leaves no time for training.
    """
    mature_end = cutoff - pipeline.prediction.label_delay
    holdout = Window(mature_end - timedelta(days=pipeline.training.holdout_days), mature_end)
    train_end = holdout.start - timedelta(days=pipeline.training.embargo_days)
    if train_end <= pipeline.coverage.start:
        raise DataContractError(
            f"{pipeline.name}: cutoff {cutoff:%Y-%m-%dT%H:%MZ} leaves no training rows: "
            f"the holdout starts at {holdout.start:%Y-%m-%d}, the data at {pipeline.coverage.start:%Y-%m-%d}; "
            f"take a later cutoff"
        )
    return Window(learned_since(pipeline, train_end), train_end), holdout


@dataclass(frozen=True)
class TrainingRows:
    """The training set of a cutoff, proven to leak nothing and not frozen yet.

    Attributes:
        frame: Entity key, decision_time (UTC), features, label (float64; NaN for none), part ('train', 'holdout' or, on
            a reserve day before the holdout, 'reserve'); in (decision_time, entity key) order.
        train: Decision times of the training rows; `holdout` likewise.
        digest: SHA-256 of the frame's content in its order.
        leak_checked: Decision times the leak check rebuilt.
        examples_before_holdout: How many there were before training.max_train_rows thinned them.
    """

    frame: pd.DataFrame
    train: Window
    holdout: Window
    digest: str
    leak_checked: tuple[datetime, ...]
    examples_before_holdout: int = 0


def training_rows(at: Deployment, cutoff: datetime) -> TrainingRows:
    """Make the training set of a cutoff from what is there now; nothing is frozen and no run is opened.

    Rows whose decision time lies in a window that a person excluded (airloop.stores.alarms) are left out.

    Raises:
        DataContractError: See airloop.models.snapshot.
        GuardRefused: See airloop.models.snapshot.
        UpstreamUnavailable: See airloop.models.snapshot.
    """
    return made(at, cutoff, look_up(at, Window(at.pipeline.coverage.start, cutoff)))


def made(at: Deployment, cutoff: datetime, reads: TrainingReads) -> TrainingRows:
    """`training_rows` of what was looked up, over a window that ends with the cutoff."""
    pipeline, settings = at.pipeline, at.settings
    train, holdout = parts(pipeline, cutoff)
    excluded = alarms.excluded_windows(pipeline, Window(kept_since(pipeline, train), cutoff), reads.alarms)
    with reads.tables.as_they_stood():
        return _rows(pipeline, cutoff, settings, train=train, holdout=holdout, excluded=excluded)


def _rows(
    pipeline: Pipeline,
    cutoff: datetime,
    settings: Settings,
    *,
    train: Window,
    holdout: Window,
    excluded: Sequence[Window],
) -> TrainingRows:
    whole = Window(kept_since(pipeline, train), holdout.end)
    stale.refuse_stale(pipeline, whole, settings)
    thinning = Thinning(pipeline, train)
    columns = len(feature_store.feature_names(pipeline, settings))

    def kept(rows: pa.Table) -> pa.Table:
        few = thinning(rows)
        memory.refuse_too_large(pipeline, rows=few.num_rows, columns=columns)
        return few

    frame = examples.feature_frame(pipeline, whole, settings, as_of=cutoff, keep=kept)
    frame = _without(with_parts(pipeline, frame, train, holdout), excluded)
    refuse_unfit_labels(pipeline, frame["label"])
    _refuse_too_few(pipeline, frame, holdout)
    if not task_of(pipeline).learns_without_labels:
        outcomes_there.refuse_ended(pipeline, cutoff, holdout, settings)
        outcomes_there.refuse_incomplete_days(pipeline, frame, settings)
    leak_checked = leak_check.check_leaks(pipeline, frame, settings)
    return TrainingRows(frame, train, holdout, training_set.frame_digest(frame), leak_checked, thinning.examples)


def with_parts(pipeline: Pipeline, frame: pd.DataFrame, train: Window, holdout: Window) -> pd.DataFrame:
    """The rows of each part, with `part`; what lies between (the embargo) is left out."""
    time = frame["decision_time"]
    frame = frame.assign(part=None)
    frame.loc[(time >= train.start) & (time < train.end), "part"] = "train"
    frame.loc[(time < train.end) & reserved(time, pipeline.training.reserve_days), "part"] = RESERVE
    frame.loc[time >= holdout.start, "part"] = "holdout"
    return frame[frame["part"].notna()].reset_index(drop=True)


def _without(frame: pd.DataFrame, windows: Sequence[Window]) -> pd.DataFrame:
    time = frame["decision_time"]
    for window in windows:
        frame = frame[(time < window.start) | (time >= window.end)]
    return frame.reset_index(drop=True)


def _refuse_too_few(pipeline: Pipeline, frame: pd.DataFrame, holdout: Window) -> None:
    labelled = training_set.learned_rows(pipeline, frame)
    rows = int((labelled["part"] == "train").sum())
    if rows < pipeline.training.min_train_rows:
        raise DataContractError(
            f"{pipeline.name}: {rows} labelled training rows before {holdout.start:%Y-%m-%d}, "
            f"min_train_rows is {pipeline.training.min_train_rows}: take a later cutoff, "
            f"{raised_bounds(pipeline)}or lower that number"
        )


def _tables(pipeline: Pipeline, settings: Settings) -> dict[str, str]:
    places = [("features", view) for view in sections.view_names(pipeline, settings)]
    places += [("clean", feed) for feed in pipeline.feeds]
    return {"/".join(place): lake.table_uri(settings, pipeline.name, *place) for place in places}
