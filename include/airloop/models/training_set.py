"""A frozen training set, read back: its digest, and its parts."""

import pandas as pd
import pyarrow as pa

from airloop.errors import DataContractError
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
    seen = frame_digest(frame)
    if seen != record.digest:
        raise DataContractError(f"{record.uri}: content digest {seen[:12]} is not the recorded {record.digest[:12]}")
    return frame


def labelled_part(frame: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of `train` or `holdout` that have a label, in order."""
    return frame[(frame["part"] == part) & frame["label"].notna()].reset_index(drop=True)
