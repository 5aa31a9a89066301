"""How each command of this package starts and what it says while it works."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from airloop.settings import apply_quiet_environment


def start(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a command with the arguments of this process, and exit with its code."""
    # Several threads a fit make other sums: one, as the stages have it.
    os.environ["OMP_NUM_THREADS"] = "1"
    apply_quiet_environment()
    from airloop.feast_stores import feast_boot

    feast_boot.neutralise_typeguard()
    sys.exit(main(sys.argv[1:]))


def say(line: str) -> None:
    """A line of progress, with the time, on the error stream: results go to the other."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


def known(names: Sequence[str], data_sets: Sequence[str]) -> bool:
    """Whether there are data sets of all these names; says the first that there is not."""
    strange = sorted(set(names) - set(data_sets))
    if strange:
        sys.stderr.write(f"there is no data set {strange[0]!r} (there are: {', '.join(data_sets)})\n")
    return not strange
