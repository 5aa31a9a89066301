"""How times that nobody has said are written could be read: what is offered, and never taken, without being asked."""

from datetime import UTC, datetime

import polars as pl

from airloop.sources.land_tables import Table

_DAYS = (
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%m.%d.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%b %d, %Y",
)
_CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %I:%M:%S %p", " %I:%M %p")
_EARLIEST, _LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1980, 2040))
_EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1000}


def formats_of(texts: pl.Series) -> list[str]:
    """The formats that read every text; several where day and month could be exchanged."""
    different = texts.drop_nulls().unique(maintain_order=True)
    first = different.head(1)
    fits = [f"{day}{clock}" for day in _DAYS for clock in _CLOCKS if _reads(first, f"{day}{clock}")]
    return [name for name in fits if _reads(different, name)]


def counted_from_1970(table: Table) -> str:
    """The first column of whole numbers that are times of 1980 to 2040 as an epoch, with the option; empty without."""
    for name, kind in table.kinds.items():
        numbers = table.texts[name].drop_nulls().cast(pl.Int64, strict=False) if kind == "integer" else pl.Series([])
        if not len(numbers) or numbers.null_count():
            continue
        for word, per_second in _EPOCHS.items():
            if numbers.min() >= _EARLIEST * per_second and numbers.max() < _LATEST * per_second:  # type: ignore[operator]
                at = datetime.fromtimestamp(numbers[0] / per_second, UTC)
                return (
                    f"{name!r} holds whole numbers like {numbers[0]}, which as {word} is {at:%Y-%m-%d %H:%M}: if that "
                    f"is the time, add --time-format {name}={word}"
                )
    return ""


def _reads(texts: pl.Series, name: str) -> bool:
    return texts.str.strip_chars().str.to_datetime(name, strict=False, exact=True).null_count() == 0
