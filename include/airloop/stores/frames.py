"""Data frames as parquet files at any fsspec URI: snapshots and predictions on a holdout."""

import fsspec
import pandas as pd

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores.files import put


def read(uri: str, settings: Settings) -> pd.DataFrame:
    """Read one parquet file at an fsspec URI.

    Raises:
        GuardRefused: There is no such file.
        UpstreamUnavailable: It cannot be read.
    """
    try:
        with fsspec.open(uri, "rb", **settings.storage_options) as handle:
            return pd.read_parquet(handle)
    except FileNotFoundError as error:
        raise GuardRefused(f"{uri} is gone") from error
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be read: {error}") from error


def write(frame: pd.DataFrame, uri: str, settings: Settings) -> None:
    """Write one parquet file, whole or not at all; UpstreamUnavailable when the place cannot be written."""
    content = frame.to_parquet(index=False, coerce_timestamps="us", allow_truncated_timestamps=True)
    put(uri, content, settings)
