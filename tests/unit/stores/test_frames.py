"""Frames as parquet files: whole or not at all, and an outage is told from what is gone."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from tests.support import toy

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores import frames

FRAME = pd.DataFrame(
    {
        "job": ["a", None],
        "decision_time": pd.Series([toy.START, toy.START + timedelta(microseconds=1)], dtype="datetime64[us, UTC]"),
        "label": [1.0, None],
    }
)


def test_a_file_appears_whole_replaces_what_was_there_and_reads_back_equal(tmp_path: Path) -> None:
    uri = f"{tmp_path}/folder/file.parquet"
    for rows in (FRAME.head(1), FRAME):
        frames.write(rows, uri, Settings())
    pd.testing.assert_frame_equal(frames.read(uri, Settings()), FRAME)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file.parquet"]


def test_a_file_that_is_gone_is_refused_and_one_that_cannot_be_read_may_be_asked_again(tmp_path: Path) -> None:
    with pytest.raises(GuardRefused, match=r"file\.parquet is gone"):
        frames.read(f"{tmp_path}/file.parquet", Settings())
    with pytest.raises(UpstreamUnavailable, match="cannot be read"):
        frames.read(str(tmp_path), Settings())
