"""What upstream systems do to instants other than the event time, and to the event time within its file's day."""

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl
from tests.support.watched_table import WatchedTable

from .planted import INPUTS, Planted, c, edited, share, where

_DEFAULTS = {"1970": datetime(1970, 1, 1, tzinfo=UTC), "9999": datetime(9999, 12, 31, tzinfo=UTC)}


def planted(table: WatchedTable) -> Iterator[Planted]:
    """Every kind, of every instant that an input says."""
    names = [name for name, kind in table.frame.schema.items() if isinstance(kind, pl.Datetime) and name != table.time]
    for name in names:
        at = c(name)
        for hours in (-24, 5, -5, 1):
            yield edited(f"{hours:+} h", name, at + pl.duration(hours=hours))
        yield edited("+5 min", name, at + pl.duration(minutes=5))
        yield edited("cut to the day", name, at.dt.truncate("1d"))
        yield edited("cut to the hour", name, at.dt.truncate("1h"))
        yield edited("the event time", name, c(table.time))
        yield edited("a year later", name, at + pl.duration(days=365))
        yield edited("shuffled", name, at.shuffle(seed=3))
        yield edited("a third empty", name, pl.when(~share(0.33)).then(at))
        for year, default in _DEFAULTS.items():
            yield edited(f"{year} in a twentieth", name, where(name, share(0.05), pl.lit(default)))
        turned = pl.when(at.dt.day() <= 12).then(
            pl.datetime(at.dt.year(), at.dt.day(), at.dt.month(), at.dt.hour(), at.dt.minute(), time_zone="UTC")
        )
        yield edited("day and month turned", name, turned.otherwise(at))
    for kind, every in (("cut to the hour", "1h"), ("cut to the day", "1d")):
        same = table.frame.select((c(table.time).dt.truncate(every) == c(table.time)).mean()).item()
        if same < 0.5:
            yield edited(kind, table.time, c(table.time).dt.truncate(every))
    for hours in (5, -5, 1):
        yield _other_clock(table, pl.duration(hours=hours), f"{hours:+} h")
    yield _other_clock(table, pl.duration(minutes=5), "+5 min")


def _other_clock(table: WatchedTable, by: pl.Expr, kind: str) -> Planted:
    """Rows that leave their file's day are set aside by ingestion; the others stand at another hour."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        moved = c(table.time) + by
        return rows.filter(moved.dt.date() == c(table.time).dt.date()).with_columns(moved.alias(table.time))

    return Planted(kind, (f"{INPUTS}.{table.time}", INPUTS), change)
