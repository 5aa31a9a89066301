"""What an hour of a table costs when the table is a year of hourly commits old, and when it is ten hours old."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.writer import AddAction

from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.stores import lake
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "write and read an hour of a table of 8,784 hourly files / of ten"
# About 500 before files were ruled out in groups, and growing with every hour.
BOUND = 15.0
UNIT = "s"

YOUNG, OLD, ROWS = 10, 8784, 60
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_PER_COMMIT = 100


def measure(session: Session) -> Row:
    """Put 60 other rows in place of an hour's in the middle of the table, and read the hour back."""
    settings = load_settings()
    sides = []
    for hours in (OLD, YOUNG):
        session.say(f"a table of {hours:,} hours")
        table = write_table(session.folder("table_age"), hours)
        add_entries(table, hours)
        sides.append(trials(table, hours // 2, settings))
    old, young = interleaved(*sides)
    note = f"replace_window of {ROWS} rows and read of them; every hour is one file, and one entry of the log"
    return Row(NAME, old, young, BOUND, UNIT, note)


def trials(table: Path, hour: int, settings: Settings) -> Callable[[], Trial]:
    """Trials that put 60 rows in place of an hour's and read them back."""
    numbers = count()

    def prepare() -> Trial:
        rows = _rows(hour).append_column("value", pa.array([float(next(numbers))] * ROWS))
        window = Window(_instant(hour), _instant(hour + 1))

        def trial() -> pa.Table:
            lake.replace_window(str(table), rows, settings, time_column="at", window=window, sort_by=["key"])
            return lake.read(str(table), settings, where=lake.between("at", window))

        return trial

    return prepare


def _instant(hour: int) -> datetime:
    return FIRST + timedelta(hours=hour)


def _rows(hour: int) -> pa.Table:
    moments = [_instant(hour) + timedelta(minutes=minute) for minute in range(ROWS)]
    return pa.table({"key": [f"{hour}-{row}" for row in range(ROWS)], "at": pa.array(moments, lake.INSTANT)})


def write_table(folder: Path, hours: int) -> Path:
    """One file an hour, in the log in commits of a hundred: a year of real commits takes half an hour to write."""
    first = lake.with_month(_rows(0).append_column("value", pa.array([0.0] * ROWS)), "at")
    table = DeltaTable.create(str(folder), first.schema, partition_by=[lake.PARTITION])
    for start in range(0, hours, _PER_COMMIT):
        actions = [_file(folder, hour) for hour in range(start, min(start + _PER_COMMIT, hours))]
        table._table.create_write_transaction(actions, "append", [lake.PARTITION], table.schema().to_pyarrow(), None)
        table.update_incremental()
    table.create_checkpoint()
    return folder


def add_entries(table: Path, hours: int) -> None:
    """A log as long as commits of so many hours leave it: Delta lists it all, and reads what follows a checkpoint."""
    log = table / "_delta_log"
    checkpoint = json.loads((log / "_last_checkpoint").read_text())
    version, newest = f"{checkpoint['version']:020}", f"{hours:020}"
    entry = (log / f"{version}.json").read_bytes()
    (log / f"{version}.checkpoint.parquet").rename(log / f"{newest}.checkpoint.parquet")
    for number in range(hours + 1):
        (log / f"{number:020}.json").write_bytes(entry)
    (log / "_last_checkpoint").write_text(json.dumps(checkpoint | {"version": hours}))


def _file(folder: Path, hour: int) -> AddAction:
    month = f"{_instant(hour):%Y-%m}"
    path = f"{lake.PARTITION}={month}/{hour}.parquet"
    (folder / path).parent.mkdir(exist_ok=True)
    pq.write_table(_rows(hour).append_column("value", pa.array([0.0] * ROWS)), folder / path)
    least, most = (f"{_instant(hour) + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%S.000Z}" for minute in (0, ROWS - 1))
    statistics = {
        "numRecords": ROWS,
        "minValues": {"at": least, "value": 0.0},
        "maxValues": {"at": most, "value": 0.0},
        "nullCount": {"at": 0, "value": 0, "key": 0},
    }
    size = (folder / path).stat().st_size
    return AddAction(path, size, {lake.PARTITION: month}, 0, data_change=True, stats=json.dumps(statistics))
