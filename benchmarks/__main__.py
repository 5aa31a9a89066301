"""`python -m benchmarks`: measure every row, write <home>/bench.json, show the table; exit code 1 unless all are ok."""

import importlib
import math
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from airloop.errors import AirloopError
from airloop.settings import apply_quiet_environment, load_settings
from benchmarks.row import Row, write_rows

# Modules with NAME, BOUND and measure(flights) -> Row.
MEASUREMENTS = ("training_set", "training_set_feast", "materialization", "validation", "data_stages")

Say = Callable[[str], None]


def main() -> int:
    """Measure below a temporary folder, which goes at the end; only bench.json stays."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    apply_quiet_environment()
    # Stock Feast goes through ibis 12, which calls a method DuckDB 2 renamed.
    warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    target = load_settings().home / "bench.json"
    say = _progress(console)
    with tempfile.TemporaryDirectory(prefix="airloop_bench_") as folder:
        rows = _measure_all(Path(folder), say)
    write_rows(target, rows)
    console.print(result_table(rows))
    say(f"written to {target}")
    return exit_code(rows)


def exit_code(rows: Sequence[Row]) -> int:
    """0 when there are rows and every one is ok, else 1."""
    return 0 if rows and all(row.ok for row in rows) else 1


def measured(module: Any, flights: Any) -> Row:
    """The module's row; one that could not be measured, or whose sides gave different results, is not ok."""
    try:
        row: Row = module.measure(flights)
    except AirloopError as error:
        return Row(module.NAME, math.nan, math.nan, bound=module.BOUND, unit="s", note=f"not measured: {error}")
    return row


def result_table(rows: Sequence[Row]) -> Table:
    """The rows as a person reads them."""
    table = Table(title="ours against peers, fastest of three each, in one run", title_justify="left", show_lines=True)
    for name in ("measured", "ours", "peer", "ratio", "bound", "ok"):
        table.add_column(name, justify="left" if name in ("measured", "ok") else "right", no_wrap=name != "measured")
    table.add_column("note")
    for row in rows:
        sides = (f"{row.ours:.2f} {row.unit}", f"{row.peer:.2f} {row.unit}")
        mark = "ok" if row.ok else "[red]no[/]"
        table.add_row(row.name, *sides, f"{row.ratio:.2f}", f"{row.bound:g}", mark, escape(row.note))
    return table


def _measure_all(home: Path, say: Say) -> list[Row]:
    from benchmarks.flights import build_flights

    flights = build_flights(home, say)
    rows = []
    for number, name in enumerate(MEASUREMENTS, start=1):
        module = importlib.import_module(f"benchmarks.{name}")
        say(f"{number} of {len(MEASUREMENTS)}: {module.NAME}")
        rows.append(measured(module, flights))
    return rows


def _progress(console: Console) -> Say:
    began = time.monotonic()

    def say(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:4.0f} s[/]  ", end="")
        console.print(line, markup=False, soft_wrap=True)

    return say


if __name__ == "__main__":
    sys.exit(main())
