"""Real processes on one table: killed in mid-write, and writing side by side."""

import random
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.support.waiting import bound

from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import lake

pytestmark = pytest.mark.integration

ROWS = 20_000
KILLS = 12
JANUARY = Window.parse("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")

# Replaces one window again and again; all rows of a write hold its number.
WRITER = """
import sys
from datetime import timedelta
import pyarrow as pa
from airloop.stores import lake
from airloop.records import Window
from airloop.settings import load_settings

home, start, end, first, writes, rows, column = sys.argv[1:]
settings, window = load_settings(home=home), Window.parse(start, end)
instants = pa.array([window.start + timedelta(seconds=number) for number in range(int(rows))], lake.INSTANT)
uri = lake.table_uri(settings, "toy", "raw", "jobs")
for number in range(int(first), int(first) + int(writes)):
    table = pa.table({column: instants, "write": pa.array([number] * len(instants), pa.int64())})
    lake.replace_window(uri, table, settings, time_column=column, window=window, sort_by=[column])
    print(number, flush=True)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


def _writer(
    settings: Settings, window: Window, *, first: int, writes: int, rows: int, column: str = "at"
) -> subprocess.Popen[str]:
    bounds = window.to_json()
    arguments = [str(settings.home), bounds["start"], bounds["end"], str(first), str(writes), str(rows), column]
    return subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True)


def _finish(writers: list[subprocess.Popen[str]]) -> list[int]:
    with ExitStack() as stack:
        for writer in writers:
            stack.enter_context(writer)
        for writer in writers:
            writer.communicate(timeout=bound(120))
    return [writer.returncode for writer in writers]


def _held(settings: Settings, window: Window, column: str = "at") -> pa.Table:
    return lake.read(lake.table_uri(settings, "toy", "raw", "jobs"), settings, where=lake.between(column, window))


def test_a_writer_killed_at_any_moment_leaves_a_whole_window_old_or_new(settings: Settings) -> None:
    draw = random.Random(1)
    for kill in range(KILLS):
        with _writer(settings, JANUARY, first=kill * 1000, writes=1000, rows=ROWS) as writer:
            done = int(writer.stdout.readline())
            for _ in range(draw.randrange(3)):
                done = int(writer.stdout.readline())
            # Somewhere inside the next write.
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(timeout=draw.uniform(0, 0.15))
            writer.kill()
            written = [int(line) for line in writer.stdout.read().split()]
        rows = _held(settings, JANUARY)
        (number,) = set(rows["write"].to_pylist())
        assert rows.num_rows == ROWS
        # What was reported is there; of the next write all or nothing.
        assert number - max([done, *written]) in (0, 1)


@pytest.mark.parametrize("column", ["at", "Zeitpunkt (Beginn)"])
def test_writers_of_different_windows_at_once_lose_nothing(column: str, settings: Settings) -> None:
    # Seven in one month, whose files they share, and one elsewhere.
    starts = [JANUARY.start + timedelta(days=day) for day in (*range(7), 40)]
    days = [Window(start, start + timedelta(days=1)) for start in starts]
    writers = [_writer(settings, day, first=0, writes=10, rows=100, column=column) for day in days]
    assert _finish(writers) == [0] * len(writers)
    for day in days:
        assert _held(settings, day, column)["write"].to_pylist() == [9] * 100
    assert lake.read(lake.table_uri(settings, "toy", "raw", "jobs"), settings).num_rows == 100 * len(days)


def test_writers_of_one_window_at_once_leave_one_of_both_whole(settings: Settings) -> None:
    writers = [_writer(settings, JANUARY, first=first, writes=10, rows=100) for first in (0, 1000)]
    assert _finish(writers) == [0] * len(writers)
    rows = _held(settings, JANUARY)["write"].to_pylist()
    assert len(rows) == 100
    assert set(rows) <= {9} or set(rows) <= {1009}


# Adds overlapping windows of predictions, as runs of scoring do that are started at the same time.
SCORER = """
import sys
from datetime import timedelta
import pyarrow as pa
from airloop.stores import lake
from airloop.stores.append_once import append_once
from airloop.records import Window
from airloop.settings import load_settings

home, shift = sys.argv[1:]
settings, month = load_settings(home=home), Window.parse("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")
uri = lake.table_uri(settings, "toy", "predictions", "predictions")
sys.stdin.readline()
total = 0
for day in range(6):
    window = Window(month.start + timedelta(days=day), month.start + timedelta(days=day + 2))
    instants = [window.start + timedelta(minutes=10 * number) for number in range(288)]
    table = pa.table({
        "job": pa.array([f"j{instant:%d%H%M}" for instant in instants]),
        "at": pa.array(instants, lake.INSTANT),
        "scores": pa.array([[0.25, 0.75]] * len(instants)),
        "version": pa.array([1] * len(instants), pa.int64()),
    })
    added, _ = append_once(uri, table, settings, time_column="at", key=["job", "at", "version"], window=window)
    total += added
print(total, flush=True)
"""


def test_processes_that_add_the_same_rows_at_once_add_each_once(settings: Settings) -> None:
    command = [sys.executable, "-c", SCORER, str(settings.home)]
    with ExitStack() as stack:
        scorers = [
            stack.enter_context(
                subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for n in range(2)
        ]
        for scorer in scorers:
            assert scorer.stdin is not None
            scorer.stdin.write("go\n")
            scorer.stdin.flush()
        added = [int(scorer.communicate(timeout=bound(240))[0]) for scorer in scorers]
    rows = lake.read(lake.table_uri(settings, "toy", "predictions", "predictions"), settings)
    assert rows.num_rows == len(set(rows["job"].to_pylist())) == sum(added) == 7 * 144
