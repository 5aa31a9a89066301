"""`python -m benchmarks [ROW ...]`: measure the rows, write <home>/bench.json, show the table.

The exit code is 0 when every row is ok, 1 when one is not, 2 when something was asked for that there is not.
"""

import importlib
import math
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from airloop.errors import AirloopError, ConfigError
from airloop.settings import apply_quiet_environment, load_settings
from benchmarks.row import Row, write_rows
from benchmarks.session import Say, Session, asked_months

# Modules with NAME, BOUND, UNIT and measure(session) -> Row; the quick ones come first.
MEASUREMENTS = (
    "materialization",
    "materialized_again",
    "validation",
    "data_stages",
    "feature_windows",
    "monitoring_statistics",
    "wide_drift",
    "reference_age",
    "log_model",
    "search_cost",
    "gate_cost",
    "training_memory",
    "policy_quality",
    "policy_quality_minutes",
    "policy_quality_few_labels",
    "policy_quality_rain",
    "policy_quality_volume",
    "table_age",
    "maintained_age",
    "bell_age",
    "ledger_age",
    "window_age",
    "fleet_parse",
    "stream_age",
    "training_set",
    "training_set_feast",
    "serving",
    "serving_online",
    "serving_batch",
    "serving_memory",
    "serving_swaps",
    "serving_start",
    "batch_predictions",
    "task_overhead",
    "platform_start",
    "platform_memory",
    "orchestrated_year",
)


def main(names: Sequence[str]) -> int:
    """Measure below a temporary folder, which goes at the end; only bench.json stays."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    apply_quiet_environment()
    # A platform that was started is stopped on the way out, also when somebody ends this process.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    # What libraries deprecate in each other is not part of the result.
    warnings.simplefilter("ignore")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    say = _progress(console)
    try:
        chosen, months, target = chosen_names(names), asked_months(), load_settings().home / "bench.json"
    except ConfigError as error:
        say(str(error))
        return 2
    with tempfile.TemporaryDirectory(prefix="airloop_bench_", ignore_cleanup_errors=True) as folder:
        rows = _measure_all(chosen, Session(Path(folder).resolve(), months, say), target)
    console.print(result_table(rows))
    say(f"written to {target}")
    return exit_code(rows)


def chosen_names(names: Sequence[str]) -> tuple[str, ...]:
    """The measurements asked for, in their order; all of them when none is named.

    Raises:
        ConfigError: There is no measurement of that name.
    """
    unknown = sorted({*names} - {*MEASUREMENTS})
    if unknown:
        raise ConfigError(f"no measurement {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}")
    return tuple(name for name in MEASUREMENTS if name in names or not names)


def exit_code(rows: Sequence[Row]) -> int:
    """0 when there are rows and every one is ok, else 1."""
    return 0 if rows and all(row.ok for row in rows) else 1


def measured(module: Any, session: Any) -> Row:
    """The module's row; one that could not be measured, or whose sides gave different results, is not ok."""
    try:
        row: Row = module.measure(session)
    except Exception as error:  # whatever breaks one row, the half hour of the others is not lost
        if not isinstance(error, AirloopError):
            traceback.print_exc()
        return Row(module.NAME, math.nan, math.nan, bound=module.BOUND, unit=module.UNIT, note=f"not measured: {error}")
    return row


def result_table(rows: Sequence[Row]) -> Table:
    """The rows as a person reads them."""
    table = Table(title="ours against peers, each in one run", title_justify="left", show_lines=True)
    for name in ("measured", "ours", "peer", "ratio", "bound", "ok"):
        table.add_column(name, justify="left" if name in ("measured", "ok") else "right", no_wrap=name != "measured")
    table.add_column("note")
    for row in rows:
        sides = (f"{row.ours:.2f} {row.unit}", f"{row.peer:.2f} {row.unit}")
        mark = "ok" if row.ok else "[red]no[/]"
        table.add_row(row.name, *sides, f"{row.ratio:.2f}", f"{row.bound:g}", mark, escape(row.note))
    return table


def _measure_all(chosen: Sequence[str], session: Session, target: Path) -> list[Row]:
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in MEASUREMENTS}
    names = [module.NAME for module in modules.values()]
    rows = []
    for number, name in enumerate(chosen, start=1):
        session.say(f"{number} of {len(chosen)}: {modules[name].NAME}")
        rows.append(measured(modules[name], session))
        session.say(f"  ours {rows[-1].ours:.2f} {rows[-1].unit}, peer {rows[-1].peer:.2f}, ratio {rows[-1].ratio:.2f}")
        write_rows(target, rows, names=names)
    return rows


def _progress(console: Console) -> Say:
    began = time.monotonic()

    def say(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:4.0f} s[/]  ", end="")
        console.print(line, markup=False, soft_wrap=True)

    return say


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
