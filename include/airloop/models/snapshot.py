"""snapshot: freeze the training set of a cutoff, prove that it leaks nothing, and open its MLflow run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import mlflow
import pandas as pd
import pyarrow as pa

from airloop import delta_versions
from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.features import examples, feature_store, leak_check, sections, stale
from airloop.models import memory, outcomes_there, training_set
from airloop.models.history import Thinning, learned_since
from airloop.models.training_key import training_key
from airloop.problems import refuse_unfit_labels
from airloop.records import Record, Snapshot, Window
from airloop.settings import Settings
from airloop.stores import alarms, lake, tables_read, training_reason
from airloop.stores.alarms import RaisedAlarm
from airloop.stores.mlflow import provenance, tracking
from airloop.stores.tables_read import TablesRead
from airloop.stores.training_reason import Asked

_LOGGED_ROWS = 200


@dataclass(frozen=True)
class History(Record):
    """What a training set is made of.

    Attributes:
        tables: Features and clean rows up to the cutoff, by `features/<view>` and `clean/<feed>`.
        fingerprint: Of the feature definitions.
        alarms: Those up to the cutoff that hold trainings, with their answers.
    """

    tables: TablesRead
    fingerprint: str
    alarms: tuple[RaisedAlarm, ...]


def inputs(at: Deployment, window: Window) -> History:
    """What the tables hold up to the cutoff, the feature definitions, and answered alarms."""
    pipeline, settings = at.pipeline, at.settings
    return History(
        tables=tables_read.look_at(_tables(pipeline, settings), settings, window=window),
        fingerprint=feature_store.fingerprint(pipeline, settings),
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
        frame: Entity key, decision_time (UTC), features, label (float64; NaN for none), part ('train' or 'holdout'); in
            (decision_time, entity key) order.
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
        DataContractError: See `snapshot`.
        GuardRefused: See `snapshot`.
        UpstreamUnavailable: See `snapshot`.
    """
    return _made(at, cutoff, inputs(at, Window(at.pipeline.coverage.start, cutoff)))


def _made(at: Deployment, cutoff: datetime, reads: History) -> TrainingRows:
    pipeline, settings = at.pipeline, at.settings
    train, holdout = parts(pipeline, cutoff)
    excluded = alarms.excluded_windows(pipeline, Window(train.start, cutoff), reads.alarms)
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
    stale.refuse_stale(pipeline, Window(train.start, holdout.end), settings)
    thinning = Thinning(train.end, pipeline.training.max_train_rows)
    whole = Window(train.start, holdout.end)
    columns = len(feature_store.feature_names(pipeline, settings))

    def kept(rows: pa.Table) -> pa.Table:
        few = thinning(rows)
        memory.refuse_too_large(pipeline, rows=few.num_rows, columns=columns)
        return few

    frame = examples.feature_frame(pipeline, whole, settings, as_of=cutoff, keep=kept)
    frame = _without(with_parts(frame, train, holdout), excluded)
    refuse_unfit_labels(pipeline, frame["label"])
    _refuse_too_few(pipeline, frame, holdout)
    outcomes_there.refuse_ended(pipeline, cutoff, holdout, settings)
    outcomes_there.refuse_incomplete_days(pipeline, frame, settings)
    leak_checked = leak_check.check_leaks(pipeline, frame, settings)
    return TrainingRows(frame, train, holdout, training_set.frame_digest(frame), leak_checked, thinning.examples)


def snapshot(at: Deployment, window: Window, reads: History, *, reason: str = "hand", reason_key: str = "") -> Snapshot:
    """Write the training set of `window.end` (the cutoff) as one parquet file named by its digest.

    Args:
        reason: One of REASONS; `probe` counts only when triage asked for it (airloop.stores.training_reason). The
            evidence on which it asked is kept as a tag of the MLflow run.

    Raises:
        DataContractError: Too few labelled training rows; labels that do not fit the task; examples that are mature or
            a day old at the cutoff were decided after the newest outcome known (the outcome feed has not landed up to
            the cutoff); a day of at least 20 examples with far fewer outcomes than usual; or a leak.
        ConfigError: An unknown reason.
        GuardRefused: Nobody asked for this training by `probe`, or it was answered. Or an open alarm holds trainings on
            rows before the cutoff. The message names the ways out.
        UpstreamUnavailable: Features are not built and validated up to the cutoff.
    """
    pipeline, settings, cutoff = at.pipeline, at.settings, window.end
    asked = training_reason.asked_for(settings, pipeline, cutoff, reason=reason, reason_key=reason_key)
    made = _made(at, cutoff, reads)
    uri = f"{settings.lake_uri}/{pipeline.name}/snapshots/{made.digest}.parquet"
    tracking.write_parquet(made.frame, uri, settings)
    labelled = made.frame[made.frame["label"].notna()]
    record = Snapshot(
        pipeline=pipeline.name,
        cutoff=cutoff,
        train=made.train,
        holdout=made.holdout,
        uri=uri,
        digest=made.digest,
        train_rows=int((labelled["part"] == "train").sum()),
        holdout_rows=int((labelled["part"] == "holdout").sum()),
        unlabelled_rows=len(made.frame) - len(labelled),
        features=feature_store.feature_names(pipeline, settings),
        feature_service=pipeline.features.service,
        feature_fingerprint=reads.fingerprint,
        table_versions=_versions(reads.tables),
        leak_checked=made.leak_checked,
        reason=asked.reason,
        reason_key=asked.reason_key,
        examples_before_holdout=made.examples_before_holdout,
    )
    _open_run(pipeline, record, labelled, settings, asked=asked)
    return record


def with_parts(frame: pd.DataFrame, train: Window, holdout: Window) -> pd.DataFrame:
    """The rows of either part, with `part`; what lies between (the embargo) is left out."""
    time = frame["decision_time"]
    frame = frame.assign(part=None)
    frame.loc[time < train.end, "part"] = "train"
    frame.loc[time >= holdout.start, "part"] = "holdout"
    return frame[frame["part"].notna()].reset_index(drop=True)


def _without(frame: pd.DataFrame, windows: Sequence[Window]) -> pd.DataFrame:
    time = frame["decision_time"]
    for window in windows:
        frame = frame[(time < window.start) | (time >= window.end)]
    return frame.reset_index(drop=True)


def _refuse_too_few(pipeline: Pipeline, frame: pd.DataFrame, holdout: Window) -> None:
    labelled = frame[frame["label"].notna()]
    rows = int((labelled["part"] == "train").sum())
    if rows < pipeline.training.min_train_rows:
        raise DataContractError(
            f"{pipeline.name}: {rows} labelled training rows before {holdout.start:%Y-%m-%d}, "
            f"min_train_rows is {pipeline.training.min_train_rows}: take a later cutoff, or lower that number"
        )


def _tables(pipeline: Pipeline, settings: Settings) -> dict[str, str]:
    places = [("features", view) for view in sections.view_names(pipeline, settings)]
    places += [("clean", feed) for feed in pipeline.feeds]
    return {"/".join(place): lake.table_uri(settings, pipeline.name, *place) for place in places}


def _versions(read: TablesRead) -> dict[str, int]:
    """Layer and table -> version, of those that were written."""
    written = {uri: version for uri, version in read.versions.items() if version != delta_versions.NOT_WRITTEN}
    return {"/".join(uri.rsplit("/", 2)[1:]): version for uri, version in written.items()}


def _open_run(
    pipeline: Pipeline, record: Snapshot, labelled: pd.DataFrame, settings: Settings, *, asked: Asked
) -> None:
    key = training_key(pipeline, record)
    tracking.end_abandoned_runs(pipeline, settings, keep=key)
    tags = {
        **provenance.provenance(settings),
        "airloop.reason": record.reason,
        "airloop.reason_key": record.reason_key,
        "airloop.snapshot": record.digest,
        "airloop.trigger_evidence": json.dumps(asked.evidence),
    }
    name = f"training {record.cutoff:%Y-%m-%d} ({record.reason})"
    run = tracking.run_of(pipeline, settings, key=key, name=name, tags=tags)
    with tracking.resumed(settings, run.info.run_id):
        mlflow.log_params(
            {
                "cutoff": record.cutoff.isoformat(),
                "train_rows": record.train_rows,
                "holdout_rows": record.holdout_rows,
                "unlabelled_rows": record.unlabelled_rows,
                "feature_service": record.feature_service,
            }
        )
        # MLflow's own digest reads the first 10,000 rows only, so ours is passed (36 characters at most).
        dataset = mlflow.data.from_pandas(
            labelled.head(_LOGGED_ROWS),
            source=record.uri,
            name=pipeline.name,
            targets="label",
            digest=record.digest[:36],
        )
        mlflow.log_input(dataset, context="training")
        mlflow.log_dict(record.to_json(), "snapshot.json")
    # Left RUNNING on purpose: tune and train resume it, evaluate ends it.
    tracking.reopen_run(settings, run.info.run_id)
