"""Plant faults into a month of flights and print what the platform says to each; exits 1 when one stays silent.

    python -m tests.faults                                    every fault, a worker per core (also: make faults)
    python -m tests.faults --list
    python -m tests.faults --only "wind in knots" none        some, each with all that the stages said
    python -m tests.faults --base /tmp/x --only none          keep the prepared home there and use it again
    python -m tests.faults --base /tmp/x --again --only none  run its data stages again by the code as it is now
    python -m tests.faults --markdown docs/faults.md          write the table

Preparing takes about 100 s (three months, two trainings), a fault 5 to 20 s. The prepared home stays below
`--base` when it is given; else everything goes with the run. Run in the checkout, by its own Python.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from .report import full, line, markdown
from .stand import Stand
from .table import FAULTS, wrong
from .workers import quiet, reactions


def main() -> int:
    options = _options()
    if options.list:
        print(*FAULTS, sep="\n")
        return 0
    names = options.only or list(FAULTS)
    if unknown := [name for name in names if name not in FAULTS]:
        print(f"no fault {unknown[0]!r}; see --list")
        return 2
    quiet()
    with tempfile.TemporaryDirectory(prefix="airloop-faults-") as folder:
        stand = Stand(Path(options.base or f"{folder}/base"))
        _prepare(stand, again=options.again)
        table = []
        for reaction in reactions(stand, names, Path(folder), workers=options.workers):
            table.append(reaction)
            print(full(reaction) if options.only else line(reaction), flush=True)
    failed = [item for item in table if wrong(FAULTS[item.fault], item)]
    print(f"{len(table) - len(failed)} of {len(table)} as wanted")
    if options.markdown:
        Path(options.markdown).write_text(markdown(table))
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", nargs="+", metavar="FAULT")
    parser.add_argument("--base", metavar="FOLDER")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--markdown", metavar="FILE")
    return parser.parse_args()


def _prepare(stand: Stand, *, again: bool) -> None:
    if not stand.ready:
        print("preparing January to March ...", flush=True)
        stand.prepare()
    elif again:
        stand.again()


if __name__ == "__main__":
    sys.exit(main())
