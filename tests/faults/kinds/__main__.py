"""Plant every kind of fault into every column of a table and print what is said: named, said of another, or silent.

python -m tests.faults.kinds orders:weekly bookings:daily      every kind
python -m tests.faults.kinds orders:weekly --only "x 100"      kinds that hold a text, with all that is said
python -m tests.faults.kinds orders:weekly --clean             only the alarms of the windows as they are
python -m tests.faults.kinds bikes:weekly --packages FOLDER    tables of packages that lie in a folder
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from tests.faults.kinds import every
from tests.faults.kinds.tables import table
from tests.support.watched_table import WatchedTable

from airloop.config.calendar import Calendar


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kinds", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--only", default="")
    parser.add_argument("--part", choices=sorted(every.PARTS), help="rows, outcomes, numbers, texts or instants alone")
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--packages", type=Path)
    options = parser.parse_args()
    for asked in options.tables:
        name, _, calendar = asked.partition(":")
        kind: Calendar = calendar or "weekly"  # type: ignore[assignment]
        watched = table(name, kind, options.packages)
        print(f"== {asked}: {len(watched.windows)} windows, {watched.frame.height} rows", flush=True)
        if not options.part:
            for window, alarm, about in watched.false_alarms():
                print(f"FALSE {window[1:11]} {alarm} of {about}", flush=True)
        if not options.clean:
            _planted(watched, options.only, options.part)
    return 0


def _planted(watched: WatchedTable, only: str, part: str | None) -> None:
    sums: dict[str, list[str]] = defaultdict(list)
    for item in every.planted(watched, part):
        if only not in item.kind:
            continue
        found = watched.alarms(item.change, item.feeds)
        verdict = every.verdict(item, found)
        sums[verdict].append(item.name)
        said = ", ".join(f"{kind} of {about}" for kind, about in sorted(found))
        print(f"{verdict:6} {item.name}: {said}", flush=True)
    print({verdict: len(items) for verdict, items in sums.items()}, flush=True)


if __name__ == "__main__":
    sys.exit(main())
