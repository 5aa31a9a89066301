"""A frozen training set, read back: its digest, and its parts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.models.self_training import uses_unlabelled
from airloop.problems import task_of
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stores import frames, lake


def frame_digest(frame: pd.DataFrame) -> str:
    """SHA-256 of the frame's content in its order."""
    return lake.content_digest(pa.Table.from_pandas(frame, preserve_index=False))


def read_snapshot(record: Snapshot, settings: Settings) -> pd.DataFrame:
    """The frozen frame: entity key, decision_time, features, label, part.

    Raises:
        DataContractError: The file is not what the record says.
    """
    frame = frames.read(record.uri, settings)
    found_digest = frame_digest(frame)
    if found_digest != record.digest:
        raise DataContractError(
            f"{record.uri}: content digest {found_digest[:12]} is not the recorded {record.digest[:12]}"
        )
    return frame


def learned_part(pipeline: Pipeline, frame: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of `train` or `holdout` that the task learns from, in order: those with a label, or all of an anomaly."""
    return learned_rows(pipeline, frame[frame["part"] == part])


def searched_part(pipeline: Pipeline, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of `train` that a search is given, in order: what the task learns from, or all under training.unlabelled."""
    if pipeline.training.unlabelled.by == "none":
        return learned_part(pipeline, frame, "train")
    return frame[frame["part"] == "train"].reset_index(drop=True)


def learned_rows(pipeline: Pipeline, frame: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Rows of any part that the task learns from, in order; without a label, too, where `params` say so."""
    every = task_of(pipeline).learns_without_labels or uses_unlabelled(params or {})
    return (frame if every else frame[frame["label"].notna()]).reset_index(drop=True)


def labelled_part(frame: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of `train` or `holdout` that have a label, in order."""
    return frame[(frame["part"] == part) & frame["label"].notna()].reset_index(drop=True)
