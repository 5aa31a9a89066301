"""April's files as they landed, rewritten by a fault: values by column, bytes by file, files by day."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

DATED = ("schedule", "departures", "weather", "arrivals")
_FILE = "file of the row"


@dataclass(frozen=True)
class Landed:
    """The folder below which each feed has a folder of files; only New York days of April lie in it."""

    root: Path

    def files(self, feed: str) -> list[Path]:
        """A feed's files by day."""
        return sorted((self.root / feed).glob("*.csv"))

    def file(self, feed: str, day: int) -> Path:
        """The file of one day of April."""
        return self.root / feed / f"2013-04-{day:02}.csv"

    def rewrite(self, feed: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Change the month's rows at once, every value as text (null where it is empty); each stays in its file."""
        parts = [
            pl.read_csv(path, infer_schema=False).with_columns(pl.lit(str(path)).alias(_FILE))
            for path in self.files(feed)
        ]
        changed = change(pl.concat(parts))
        for path in self.files(feed):
            rows = changed.filter(pl.col(_FILE) == str(path)).drop(_FILE)
            path.write_text(rows.write_csv())

    def edit(self, feed: str, **columns: pl.Expr) -> None:
        """Replace columns by expressions over the texts."""
        self.rewrite(feed, lambda rows: rows.with_columns(**columns))

    def rewrite_bytes(self, feed: str, change: Callable[[bytes], bytes]) -> None:
        """Change what each file of a feed holds."""
        for path in self.files(feed):
            path.write_bytes(change(path.read_bytes()))

    def remove(self, feed: str, days: Iterable[int]) -> None:
        """Take the files of some days away, as if they had never been sent."""
        for day in days:
            self.file(feed, day).unlink()


def number(column: str) -> pl.Expr:
    """A column of texts as a number."""
    return pl.col(column).cast(pl.Float64)


def whole(value: pl.Expr) -> pl.Expr:
    """A number as the text of a whole one."""
    return value.round().cast(pl.Int64).cast(pl.String)


def instant(column: str) -> pl.Expr:
    """A column of texts as UTC instants."""
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")


def written(value: pl.Expr, form: str = "%Y-%m-%dT%H:%M:%SZ") -> pl.Expr:
    """Instants as text."""
    return value.dt.strftime(form)


def new_york(column: str) -> pl.Expr:
    """The local clock of New York with a Z behind it, as systems write it that forget the offset."""
    return written(instant(column).dt.convert_time_zone("America/New_York"))


def one_in(share: float, seed: int = 7) -> pl.Expr:
    """True for a random share of the rows, the same in every run."""
    return (pl.int_range(pl.len()).hash(seed) % 10_000) < share * 10_000
