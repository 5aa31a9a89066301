"""snapshot: freeze the training set of a cutoff, prove that it leaks nothing, and open its MLflow run."""

import json

import mlflow
import pandas as pd

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.features import feature_store, stale
from airloop.files import delta_versions
from airloop.models import training_rows, training_set
from airloop.models.training_key import training_key
from airloop.models.training_rows import TrainingReads
from airloop.records import Snapshot, Window
from airloop.settings import Settings
from airloop.stores import frames, training_reason
from airloop.stores.mlflow import provenance, tag_names, tracking
from airloop.stores.tables_read import TablesRead
from airloop.stores.training_reason import TrainingRequest

_LOGGED_ROWS = 200


def inputs(at: Deployment, window: Window) -> TrainingReads:
    """What the tables hold up to the cutoff, the feature definitions, and answered alarms."""
    return training_rows.look_up(at, window)


def snapshot(
    at: Deployment, window: Window, reads: TrainingReads, *, reason: str = "hand", reason_key: str = ""
) -> Snapshot:
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
    request = training_reason.asked_for(settings, pipeline, cutoff, reason=reason, reason_key=reason_key)
    training = training_rows.made(at, cutoff, reads)
    uri = f"{settings.lake_uri}/{pipeline.name}/snapshots/{training.digest}.parquet"
    frames.write(training.frame, uri, settings)
    labelled = training_set.learned_rows(pipeline, training.frame)
    record = Snapshot(
        pipeline=pipeline.name,
        cutoff=cutoff,
        train=training.train,
        holdout=training.holdout,
        uri=uri,
        digest=training.digest,
        train_rows=int((labelled["part"] == "train").sum()),
        holdout_rows=int((labelled["part"] == "holdout").sum()),
        unlabelled_rows=int(training.frame["label"].isna().sum()),
        features=feature_store.feature_names(pipeline, settings),
        feature_service=pipeline.features.service,
        feature_fingerprint=reads.fingerprint,
        table_versions=_versions(reads.tables),
        leak_checked=training.leak_checked,
        reason=request.reason,
        reason_key=request.reason_key,
        examples_before_holdout=training.examples_before_holdout,
        reserve_days=pipeline.training.reserve_days,
        labels_fingerprint=reads.labels,
    )
    _open_run(pipeline, record, labelled, settings, request=request)
    return record


def _versions(read: TablesRead) -> dict[str, int]:
    """Layer and table -> version, of those that were written."""
    written = {uri: version for uri, version in read.versions.items() if version != delta_versions.NOT_WRITTEN}
    return {"/".join(uri.rsplit("/", 2)[1:]): version for uri, version in written.items()}


def _open_run(
    pipeline: Pipeline, record: Snapshot, labelled: pd.DataFrame, settings: Settings, *, request: TrainingRequest
) -> None:
    key, span = training_key(pipeline, record), Window(record.train.start, record.holdout.end)
    tracking.end_abandoned_runs(pipeline, settings, keep=key)
    tags = {
        **provenance.provenance(settings),
        tag_names.REASON: record.reason,
        tag_names.REASON_KEY: record.reason_key,
        tag_names.SNAPSHOT: record.digest,
        "airloop.engine": ", ".join(stale.engines_used(pipeline, span, settings)),
        "airloop.trigger_evidence": json.dumps(request.evidence),
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
