"""What every measurement is given: a temporary home, how many months, and somebody to tell what happens."""

import functools
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from airloop.errors import ConfigError
from benchmarks.flights import Flights, build_flights

MONTHS_VARIABLE = "AIRLOOP_BENCH_MONTHS"
_YEAR = 12
_FEWEST = 2
"""The first training of the demo follows its second month."""

Say = Callable[[str], None]


@dataclass(eq=False)
class Session:
    """One call of `make bench`.

    Attributes:
        home: A temporary folder; every measurement makes its own below it.
        months: How many months of flights the rows about the year take.
        say: Gets one line per step.
    """

    home: Path
    months: int
    say: Say

    @functools.cached_property
    def flights(self) -> Flights:
        """The months in a lake, built when the first row asks for them."""
        return build_flights(self.folder("flights"), self.months, self.say)

    def folder(self, name: str) -> Path:
        """A new folder below the home."""
        return Path(tempfile.mkdtemp(prefix=f"{name}_", dir=self.home)).resolve()


def asked_months() -> int:
    """AIRLOOP_BENCH_MONTHS, or the year.

    Raises:
        ConfigError: It is not a number from 2 to 12.
    """
    given = os.environ.get(MONTHS_VARIABLE) or str(_YEAR)
    if not given.isdecimal() or not _FEWEST <= int(given) <= _YEAR:
        raise ConfigError(f"{MONTHS_VARIABLE} is {given!r}: give a number of months from {_FEWEST} to {_YEAR}")
    return int(given)
