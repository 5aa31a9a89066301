"""Times that are not written as ISO 8601: by a format, or counted from a date, as epochs and spreadsheets do."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from airloop.config.nearest import nearest
from airloop.data.clock_times import INSTANT
from airloop.data.value_rules import offsets, typed
from airloop.errors import ConfigError, DataContractError

_CLOCK = INSTANT.removesuffix("Z")
_WRITTEN_TIME = r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b"
_LAST_DAY = 2_958_465  # 9999-12-31 for a spreadsheet
_OFFSETS = ("%z", "%:z", "%#z")


def looks_like_times(texts: pl.Series) -> bool:
    """Whether every text begins with three numbers as dates are written, in whatever order."""
    values = texts.drop_nulls()
    return bool(len(values) and values.str.contains(_WRITTEN_TIME).all())


def read(path: Path, texts: pl.DataFrame, time_format: str) -> pl.DataFrame:
    """The table with the times that are written so in ISO 8601.

    Args:
        time_format: A format as strftime takes it, for every column of which all values are written so; an offset
            stands at its end (`%z`) and is read in every form. `COLUMN=FORMAT` reads one column. A counted form needs
            the column: `epoch_seconds`, `epoch_milliseconds` (since 1970, UTC), or `excel` (days since 1899-12-30, a
            clock without a zone).

    Raises:
        ConfigError: Not a format, an unknown column, or a counted form without a column.
        DataContractError: No column is written so, or a value of the named column is not.
    """
    column, _, form = time_format.rpartition("=")
    if form in COUNTED and not column:
        raise ConfigError(f"--time-format {form}: numbers may count anything; say which column, like COLUMN={form}")
    if column and column not in texts.columns:
        raise ConfigError(f"--time-format {time_format}: no column {column!r}{nearest(column, texts.columns)}")
    candidates = texts.select(column) if column else texts
    times = candidates.select(_times(candidates[name], form) for name in candidates.columns)
    written = [
        name
        for name in candidates.columns
        if candidates[name].null_count() < candidates.height
        and times[name].null_count() == candidates[name].null_count()
    ]
    if not written:
        raise DataContractError(f"{path}: {_refusal(candidates, times, column, time_format)}")
    return texts.with_columns(times[name] for name in written)


def _refusal(candidates: pl.DataFrame, times: pl.DataFrame, column: str, time_format: str) -> str:
    if column:
        lost = candidates[column].filter(candidates[column].is_not_null() & times[column].is_null())
        examples = f"{len(lost)} values are not, first {lost[0]!r}" if len(lost) else "it is empty"
        return f"column {column!r} is not written as --time-format {time_format!r} says: {examples}"
    first = {
        name: candidates[name].drop_nulls()[0] for name in candidates.columns if looks_like_times(candidates[name])
    }
    examples = "; ".join(f"{name!r} holds {value!r}" for name, value in first.items()) or "none looks like times"
    return f"no column is written as --time-format {time_format!r} says ({examples})"


def _times(texts: pl.Series, form: str) -> pl.Series:
    """Texts of ISO 8601 under the same name; null where one is not written so."""
    if form in COUNTED:
        return COUNTED[form](texts).alias(texts.name)
    if "%Z" in form:
        raise ConfigError(f"--time-format {form!r}: a zone's abbreviation may be several zones; only %z, an offset")
    zoned = next((mark for mark in _OFFSETS if form.endswith(mark)), None)
    if any(mark in form.removesuffix(zoned or "") for mark in _OFFSETS):
        raise ConfigError(f"--time-format {form!r}: the offset %z has to stand at the end")
    if zoned is None:
        return _local(texts, form).dt.strftime(_CLOCK)
    before, offset = offsets(texts)
    return (_local(before, form.removesuffix(zoned).rstrip()) - offset).dt.strftime(INSTANT).alias(texts.name)


def _local(texts: pl.Series, form: str) -> pl.Series:
    try:
        return texts.str.strip_chars().str.to_datetime(form, time_unit="us", strict=False)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"--time-format {form!r}: no format of times, like %d.%m.%Y %H:%M") from error


def _numbers(texts: pl.Series) -> pl.Series:
    return texts.to_frame("v").select(typed("v", "float")).to_series()


def _epoch(texts: pl.Series, per_second: int) -> pl.Series:
    micros = (_numbers(texts) * (1_000_000 // per_second)).round().cast(pl.Int64, strict=False)
    return micros.cast(pl.Datetime("us")).dt.strftime(INSTANT)


def _excel(texts: pl.Series) -> pl.Series:
    days = _numbers(texts).to_frame("v")
    # Before March 1900 spreadsheets count a day that never was.
    counted = days.select(pl.when(pl.col("v").is_between(61, _LAST_DAY)).then("v")).to_series()
    # Half a microsecond of a day is below what a float of five digits holds: to the millisecond.
    millis = (counted * 86_400_000).round().cast(pl.Int64, strict=False)
    start = pl.datetime(1899, 12, 30, time_unit="us")
    at = (start + pl.duration(milliseconds="v")).dt.strftime(_CLOCK)
    return millis.to_frame("v").select(at).to_series()


COUNTED: dict[str, Callable[[pl.Series], pl.Series]] = {
    "epoch_seconds": lambda texts: _epoch(texts, 1),
    "epoch_milliseconds": lambda texts: _epoch(texts, 1000),
    "excel": _excel,
}
"""Forms of times that are numbers."""
