"""Plant faults into a month of flights and print what the platform says to each; exits 1 when one stays silent.

    python -m tests.faults                                    every fault, a worker per core (also: make faults)
    python -m tests.faults --list
    python -m tests.faults --only "wind in knots" none        some, each with all that the stages said
    python -m tests.faults --base FOLDER --only none          keep the prepared home there and use it again
    python -m tests.faults --base FOLDER --again --only none  run its data stages again by the code as it is now
    python -m tests.faults --data-only                        only what ingestion and validation say; trains nothing
    python -m tests.faults --follow                           everything, and what monitoring says after an alarm
    python -m tests.faults --year                             only the twelve real months (with --data-only: no models)
    python -m tests.faults --table docs/faults.md             everything, and write the page's table

A fault is followed until a stage refuses the month or an alarm rings: nothing is scored or trained on before that.
Preparing takes about 100 s (three months, two trainings), a fault 5 to 20 s. The prepared home stays below
`--base` when it is given; else everything goes with the run. Run in the checkout, by its own Python.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from .reaction import Reaction
from .report import full, line, write_table, year_in_full
from .stand import Stand
from .table import FAULTS, wrong
from .workers import everything, quiet, reactions
from .year import Year, live_through


def main() -> int:
    options = _options()
    if options.list:
        print(*FAULTS, sep="\n")
        return 0
    names = options.only or []
    if unknown := [name for name in names if name not in FAULTS]:
        print(f"no fault {unknown[0]!r}; see --list")
        return 2
    quiet()
    with tempfile.TemporaryDirectory(prefix="airloop-faults-") as folder:
        base = Path(options.base or f"{folder}/base") / ("data" if options.data_only else "whole")
        stand = Stand(base, options.data_only)
        _prepare(stand, again=options.again)
        if options.year:
            return _told([live_through(stand, Path(folder) / "year")])
        brief = not (options.follow or names)
        if names or options.data_only:
            several = reactions(stand, names or list(FAULTS), Path(folder), workers=options.workers, brief=brief)
            return _told(several, show=full if names else line, page=options.table)
        return _told(everything(stand, Path(folder), workers=options.workers, brief=brief), page=options.table)


def _told(results: Iterable[Reaction | Year], *, show: Callable[[Reaction], str] = line, page: str = "") -> int:
    """Print each result as it comes; the exit code."""
    table, failed = [], 0
    for result in results:
        failed += bool(result.wrong if isinstance(result, Year) else wrong(FAULTS[result.fault], result))
        print(year_in_full(result) if isinstance(result, Year) else show(result), flush=True)
        table += [] if isinstance(result, Year) else [result]
    print(f"{failed} not as wanted" if failed else "all as wanted")
    if page:
        write_table(Path(page), table)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", nargs="+", metavar="FAULT")
    parser.add_argument("--base", metavar="FOLDER")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--data-only", action="store_true")
    parser.add_argument("--follow", action="store_true")
    parser.add_argument("--year", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--table", metavar="PAGE")
    return parser.parse_args()


def _prepare(stand: Stand, *, again: bool) -> None:
    if not stand.ready:
        print("preparing January to March ...", flush=True)
        stand.prepare()
    elif again:
        stand.again()


if __name__ == "__main__":
    sys.exit(main())
