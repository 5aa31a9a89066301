"""Memory of the worker while many rows become hourly sums on a Spark Connect server, and in its own DuckDB."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake
from tests.support.engines import sail

from airloop.authoring.engine_proof import compare
from airloop.features.dialects.values import Values
from airloop.settings import load_settings
from airloop.stores import lake
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "memory of the worker while 10 million rows become hourly sums: on a Spark Connect server / in DuckDB"
BOUND = 0.6
UNIT = "MB"

ROWS, PART, KEYS = 10_000_000, 1_000_000, 500
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
MONTH = Values(FIRST, FIRST + timedelta(days=31), 0, 0)
QUERY = (
    "SELECT key, time_bucket(INTERVAL 1 HOUR, known_at) + INTERVAL 1 HOUR AS g, count(*) AS n, sum(value) AS total, "
    "max(text) AS newest FROM events GROUP BY ALL"
)


def measure(session: Session) -> Row:
    """Peak resident memory of a process that puts the table and fetches the sums, which are equal on both sides."""
    folder = session.folder("engine_memory")
    session.say(f"a table of {ROWS:,} rows")
    for part in range(ROWS // PART):
        write_deltalake(str(folder / "events"), _rows(part), mode="append", partition_by=[lake.PARTITION])
    with sail(folder) as url:
        peaks = {engine: _worker(engine, url, folder) for engine in ("spark", "duckdb")}
    sums = [pa.ipc.open_file(pa.memory_map(str(folder / f"{engine}.arrow"))).read_all() for engine in peaks]
    compared = compare("sums", sums[1], sums[0])
    if not compared.equal:
        raise AssertionError(f"the sums differ: {compared.shown}")
    note = f"{ROWS:,} rows of a Delta table, {compared.reference_rows:,} sums fetched and equal; imports included"
    return Row(NAME, peaks["spark"], peaks["duckdb"], BOUND, UNIT, note)


def _rows(part: int) -> pa.Table:
    numbers = np.arange(part * PART, (part + 1) * PART)
    moments = np.datetime64("2024-01-01") + (numbers * 31 * 86400 * 1_000_000 // ROWS).astype("timedelta64[us]")
    keys = numbers * 7919 % KEYS
    return pa.table(
        {
            "key": pa.array([f"key {key}" for key in range(KEYS)]).take(pa.array(keys)),
            "text": pa.array([f"a text of some length, number {key}" for key in range(KEYS)]).take(pa.array(keys)),
            "value": pa.array((numbers % 1000).astype("float64")),
            "known_at": pa.array(moments, pa.timestamp("us")).cast(lake.INSTANT),
            lake.PARTITION: pa.array(["2024-01"] * PART),
        }
    )


def _worker(engine: str, url: str, folder: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.engine_memory", engine, url, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=1500)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _work(engine: str, url: str, folder: str) -> None:
    """Put the table, carry and run the query, print the peak in MB."""
    from sqlglot import exp

    from airloop.features import engine_session
    from airloop.features.dialects import translate
    from airloop.stores.lake_rows import lake_rows

    settings = load_settings(home=Path(folder) / "home", engine=engine, engine_url=url)
    rows = lake_rows(f"{folder}/events", settings, since=MONTH.window_start, before=MONTH.window_end)
    kind = engine_session.engine_class(settings)
    columns = {"key": "VARCHAR", "text": "VARCHAR", "value": "DOUBLE", "known_at": "TIMESTAMPTZ"}
    tables = {"events": {name: exp.DataType.build(type_) for name, type_ in columns.items()}}
    text = QUERY if engine == "duckdb" else translate.Translator(kind.dialect, MONTH, tables).translate(QUERY)
    with kind.session(settings, MONTH) as running:
        running.put("events", rows)
        found = running.query(text)
    with pa.OSFile(f"{folder}/{engine}.arrow", "wb") as sink, pa.ipc.new_file(sink, found.schema) as writer:
        writer.write_table(found)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(int(peak.split()[1]) / 1024)


if __name__ == "__main__":
    _work(*sys.argv[1:])
