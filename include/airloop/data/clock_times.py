"""Clock times of a zone as instants in UTC, and what to do in the two hours a year when clocks change."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import polars as pl

from airloop.data.value_rules import clock
from airloop.errors import DataContractError

INSTANT = "%Y-%m-%dT%H:%M:%S%.fZ"
ClockChange = Literal["refuse", "skip", "first", "last"]
CLOCK_CHANGES: tuple[ClockChange, ...] = get_args(ClockChange)
"""What becomes of a time that the clocks skip (spring) or show twice (autumn): `refuse` the table, `skip` the row, or
read it by the offset in force before the change (`first`) or after it (`last`), as `fold` 0 and 1 of PEP 495."""

_SHOWN = 5


def instants(path: Path, texts: pl.Series, timezone: str, clock_change: ClockChange = "refuse") -> pl.Series:
    """Clock times of a zone in UTC; null where one is skipped.

    Raises:
        DataContractError: The zone's clocks skip or repeat one of them, and `refuse` says so; lists the rows.
    """
    odd = _changing(texts, timezone)
    if odd.any() and clock_change == "refuse":
        raise DataContractError(
            f"{path}: column {texts.name!r}: {odd.sum()} times are skipped or repeated when the clocks of {timezone} "
            f"change, first {_listed(texts, odd)}; write timestamps with their offset, like 2013-11-03T01:30:00-04:00, "
            "or say --clock-change skip (leave these rows out), first or last (the offset before or after the change)"
        )
    times = clock(texts)
    local = times.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
    if odd.any() and clock_change in ("first", "last"):
        fold, zone = int(clock_change == "last"), ZoneInfo(timezone)
        instant_of = {at: _at(at, zone, fold) for at in times.filter(odd).unique()}
        chosen = times.replace_strict(instant_of, default=None, return_dtype=pl.Datetime("us", "UTC"))
        local = local.zip_with(~odd, chosen)
    return local.dt.strftime(INSTANT).alias(texts.name)


def with_instants(
    path: Path, texts: pl.DataFrame, columns: list[str], timezone: str, clock_change: ClockChange
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The table with these columns in UTC, without the rows that are skipped, which come second, in words.

    Raises:
        DataContractError: See `instants`.
    """
    odd = {name: _changing(texts[name], timezone) for name in columns}
    texts = texts.with_columns(instants(path, texts[name], timezone, clock_change) for name in columns)
    if clock_change != "skip" or not any(mask.any() for mask in odd.values()):
        return texts, ()
    skipped = tuple(
        f"{mask.sum()} rows were left out: {name} is skipped or repeated when the clocks of {timezone} change "
        f"(rows {_numbers(mask)})"
        for name, mask in odd.items()
        if mask.any()
    )
    return texts.filter(~pl.Series([any(row) for row in zip(*odd.values(), strict=True)])), skipped


def _changing(texts: pl.Series, timezone: str) -> pl.Series:
    """Which times are not an instant of the zone, or two."""
    times = clock(texts)
    zoned = times.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return zoned.is_null() & times.is_not_null()


def _at(local: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _listed(texts: pl.Series, odd: pl.Series) -> str:
    shown = [f"{texts[row]!r} in row {row + 1}" for row in odd.arg_true()[:_SHOWN]]
    return ", ".join(shown) + (", ..." if odd.sum() > _SHOWN else "")


def _numbers(odd: pl.Series) -> str:
    rows = odd.arg_true()
    return ", ".join(str(row + 1) for row in rows[:_SHOWN]) + (", ..." if len(rows) > _SHOWN else "")
