"""How a text is read as a value: the one set of rules by which ingestion reads and `pipelines new` infers.

integer
    Digits with a sign in front, of at most 64 bits. `12.0` is 12, because a table tool writes whole numbers so as soon
    as one is missing; beyond 2**53 it is refused, as the float it passed through has lost digits. `12.5` is refused,
    and so is `12.000`: in half of the world its point parts thousands.
float
    Digits, a decimal point, an exponent; finite. A whole number beyond 2**53 without a point is refused.
boolean
    `true` or `false` in any case.
timestamp
    A date and a time of ISO 8601 with its UTC offset, separated by T or a blank: `Z`, `UTC`, `GMT`, `+05:30`, `+0530`,
    `+05`, `+05:30:15`, as PostgreSQL and others write it. Digits beyond microseconds are cut off. A time without an
    offset is never guessed, nor is an abbreviation like EST, which several zones share.
string
    The text as it stands.

Blanks and tabs around a value do not count. A number with a leading zero (`02134`) is a name made of digits, and so is
one of seven digits or more behind a plus (a telephone's): refused as numbers. `pipelines new` takes a column for text,
too, where an exponent has neither point nor sign (`1e5`) or values differ in closing zeros alone (`250.0`, `250.00`).
Numbers with commas, percent signs or marks between thousands are refused.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import polars as pl

from airloop.config.feed import ColumnType

Kind = ColumnType | Literal["clock", "empty"]

_BLANKS = " \t"
# What every double holds exactly: beyond, 9007199254740993 and 9007199254740992 are one.
_EXACT_IN_FLOAT = 2**53
_WHOLE = r"[+-]?(?:0|[1-9][0-9]*)"
_INTEGER = rf"^{_WHOLE}(?:\.0+)?$"
_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}\.000$"
_FLOAT = rf"^(?:{_WHOLE}(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_NOT_ZERO = r"^[^eE]*[1-9]"
_DIALLED, _BARE_EXPONENT = r"^\+[0-9]{7,}$", r"^[+-]?[0-9]+[eE][0-9]+$"
_DATE, _TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}"
# Offsets reach from -12:00 to +14:00; local mean times of the past come near 16 hours.
_OFFSET = r"([+\u2212-])(0[0-9]|1[0-5])(?::?([0-5][0-9])(?::?([0-5][0-9]))?)?"
_INSTANT = rf"^({_DATE})[Tt ]({_TIME})(?::([0-5][0-9])(?:[.,]([0-9]+))?)? ?(?:[Zz]|UTC|GMT|{_OFFSET})$"
# What chrono reads by itself, and several times faster.
_PLAIN_INSTANT = rf"^{_DATE}[T ]{_TIME}:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-](?:0[0-9]|1[0-5]):[0-5][0-9])$"
# No polars expressions: making one of an instant starts polars' threads, and a process forked after that hangs.
_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
_MARKED_NUMBER = r"^ *[€$£]? ?[+-]?[0-9]+([.,_' \x{a0}\x{202f}][0-9]+)* ?[%€$£]? *$"
# ISO 8601 without an offset: a clock that was read, and no instant. Others (01/02/2013) could be either of two days.
_CLOCKS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


def typed(name: str, kind: str) -> pl.Expr:
    """A column of text as the declared type, under its own name; null where a value is not of that type."""
    column = pl.col(name)
    if kind == "string":
        return column
    text = column.str.strip_chars(_BLANKS)
    if kind == "timestamp":
        return text.map_batches(_instants, return_dtype=pl.Datetime("us", "UTC")).alias(name)
    if kind == "boolean":
        known = {"true": True, "false": False}
        return text.str.to_lowercase().replace_strict(known, default=None, return_dtype=pl.Boolean)
    return (_integer(text) if kind == "integer" else _float(text)).alias(name)


def kind_of(texts: pl.Series) -> Kind:
    """The type a feed would declare for a column of texts: ingestion reads every value of it, and loses nothing.

    A column with a decimal point anywhere is a float, also where each value is whole. Times without an offset are a
    `clock`, a column without any value is `empty`.
    """
    values = texts.drop_nulls()
    if values.is_empty():
        return "empty"
    if not values.str.contains(r"\.|[0-9]{19}").any() and _all_read(values, "integer"):
        return "integer"
    for kind in ("boolean", "float", "timestamp"):
        if _all_read(values, kind):
            return "string" if kind == "float" and _are_codes(values) else kind
    return "string" if clock(values).null_count() else "clock"


def clock(texts: pl.Series) -> pl.Series:
    """ISO 8601 without an offset as a Datetime without a zone; null where a text is none."""
    text = pl.col("v").str.strip_chars(_BLANKS)
    readings = [text.str.to_datetime(form, time_unit="us", strict=False) for form in _CLOCKS]
    # chrono takes a year of two digits for one of the first century.
    whole = pl.when(text.str.contains(rf"^{_DATE}")).then(pl.coalesce(readings))
    return texts.to_frame("v").select(whole.alias(texts.name)).to_series()


def marked_number(texts: pl.Series) -> str | None:
    """The first number with a percent sign, a currency or parted thousands, where all of a column are so; else None."""
    values = texts.drop_nulls()
    marked = values.str.contains(r"[%€$£_' \x{a0}\x{202f}]")
    if values.is_empty() or not (marked.any() and values.str.contains(_MARKED_NUMBER).all()):
        return None
    return str(values.filter(marked)[0])


def parse_instant_text(text: str) -> datetime | None:
    """One text as an instant in UTC; None when it is not a timestamp by the rules above."""
    match = re.fullmatch(_INSTANT, text.strip(_BLANKS))
    if match is None:
        return None
    date, time, second, fraction, sign, *size = match.groups()
    hours, minutes, seconds = (int(part or 0) for part in size)
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    try:
        local = datetime.fromisoformat(f"{date}T{time}:{second or '00'}.{(fraction or '')[:6]:0<6}+00:00")
        return local - offset if sign == "+" else local + offset
    except (ValueError, OverflowError):
        return None


def offsets(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """What stands before the UTC offset at the end of each text, and the offset as a Duration; null without one."""
    end = rf"^(.*?) ?(?:([Zz]|UTC|GMT)|{_OFFSET})$"
    parts = texts.str.strip_chars(_BLANKS).str.extract_groups(end).struct.unnest()
    parts.columns = ["before", "zulu", "sign", "hours", "minutes", "seconds"]
    size = pl.when(pl.col("zulu").is_not_null()).then(pl.duration()).otherwise(_duration())
    return parts["before"], parts.select(size.alias(texts.name)).to_series()


def _all_read(values: pl.Series, kind: str) -> bool:
    return bool(values.to_frame("v").select(typed("v", kind).is_not_null().all()).item())


def _are_codes(values: pl.Series) -> bool:
    """Whether numbers would be other texts when written again: programs write `1e+05`, and one number in one way."""
    plain = values.str.strip_chars(_BLANKS)
    if plain.str.contains(_BARE_EXPONENT).any():
        return True
    pointed = plain.filter(plain.str.contains(r"^[+-]?[0-9]+\.[0-9]+$")).unique()
    return pointed.str.strip_chars_end("0").n_unique() < pointed.len()


def _integer(text: pl.Expr) -> pl.Expr:
    number = text.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    through_float = text.str.contains(".", literal=True)
    exact = number.is_between(-_EXACT_IN_FLOAT, _EXACT_IN_FLOAT, closed="none")
    dialled = text.str.contains(_DIALLED)
    parted = text.str.contains(_THOUSANDS)
    return pl.when(text.str.contains(_INTEGER) & (exact | ~through_float) & ~dialled & ~parted).then(number)


def _float(text: pl.Expr) -> pl.Expr:
    # A NaN would pass every "is not null" and poison every sum: whoever means "missing" leaves the field empty.
    number = text.cast(pl.Float64, strict=False)
    lost = text.str.contains(rf"^{_WHOLE}$") & (number.abs() >= _EXACT_IN_FLOAT)
    vanished = (number == 0) & text.str.contains(_NOT_ZERO)
    dialled = text.str.contains(_DIALLED)
    return pl.when(text.str.contains(_FLOAT) & number.is_finite() & ~lost & ~vanished & ~dialled).then(number)


def _instants(texts: pl.Series) -> pl.Series:
    frame = texts.to_frame("v")
    plain = pl.when(pl.col("v").str.contains(_PLAIN_INSTANT)).then(pl.col("v"))
    read = frame.select(plain.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)).to_series()
    if read.null_count() > texts.null_count():
        others = pl.when(read.is_null()).then(pl.col("v"))
        parts = frame.select(others.str.extract_groups(_INSTANT).alias("v")).to_series().struct.unnest()
        parts.columns = ["date", "time", "second", "fraction", "sign", "hours", "minutes", "seconds"]
        read = read.zip_with(read.is_not_null(), parts.select(_from_parts()).to_series())
    inside = pl.col("v").is_between(_FIRST_INSTANT, _LAST_INSTANT)
    return read.to_frame("v").select(pl.when(inside).then("v").alias(texts.name)).to_series()


def _from_parts() -> pl.Expr:
    text = pl.concat_str(pl.col("date", "time"), pl.col("second").fill_null("00"), separator=":")
    local = text.str.to_datetime("%Y-%m-%d:%H:%M:%S", time_unit="us", strict=False)
    micros = pl.col("fraction").fill_null("").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False)
    at = local + pl.duration(microseconds=micros) - _duration().fill_null(pl.duration())
    return at.dt.replace_time_zone("UTC").dt.cast_time_unit("us")


def _duration() -> pl.Expr:
    """The offset in the columns `sign`, `hours`, `minutes`, `seconds`; null without a sign."""
    hours, minutes, seconds = (
        pl.col(part).cast(pl.Int64, strict=False).fill_null(0) for part in ("hours", "minutes", "seconds")
    )
    size = pl.duration(hours=hours, minutes=minutes, seconds=seconds)
    return pl.when(pl.col("sign") == "+").then(size).when(pl.col("sign").is_not_null()).then(-size)


_EXPECTED: dict[str, str] = {
    "integer": "a whole number of at most 64 bits",
    "float": "a finite number",
    "boolean": "true or false",
    "timestamp": "an instant with its UTC offset, like 2013-01-31T12:00:00Z",
}
_AS_STRING = "declare the column as string if it is a name made of digits"
_NUMBER_CAUSES = (
    (r"[+-]?0[0-9]+(\.[0-9]*)?", f"a number would lose its leading zero; {_AS_STRING}"),
    (r"\+[0-9]{7,}", f"a telephone number would lose its plus; {_AS_STRING}"),
    (r"[+-]?[0-9]+", f"it has more digits than the type holds; {_AS_STRING}, or as integer if it fits into 64 bits"),
    (r"[+-]?[0-9]+\.0+", f"it has passed through a float, which holds no more than 2**53 exactly; {_AS_STRING}"),
    (r"[+-]?[0-9]*\.[0-9]+", "it has a fraction; declare the column as float if it may"),
    (r"[+-]?[0-9][0-9.]*,[0-9.,]*", "it has a comma; `airloop land --decimal` says what the comma means"),
    (r"[+-]?[0-9.,]+\s*%", "it has a percent sign; have the plain number written"),
    (r"[+-]?[0-9]{1,3}([_' \u00a0\u202f][0-9]{3})+(\.[0-9]+)?", "its thousands are parted; have plain digits written"),
    (r"(?i)[+-]?(nan|inf|infinity)|#.*", "for a missing value leave the field empty"),
)
_INTEGER_CAUSES = (
    (r"[+-]?[0-9.]+[eE][+-]?[0-9]+", "it is written with an exponent, as a float is; have it written in full"),
    (
        r"[+-]?[1-9][0-9]{0,2}\.000",
        "its point may part thousands; have it written without, or declare the column as float if it parts decimals",
    ),
    *_NUMBER_CAUSES,
)
_FLOAT_CAUSES = (
    (r"[+-]?[0-9.]+[eE][+-]?[0-9]+", "it lies outside what a float of 64 bits holds"),
    *_NUMBER_CAUSES,
)
_TIME_CAUSES = (
    (rf"{_DATE}([Tt ]{_TIME}.*)?\s?\(?[A-Z]{{2,5}}\)?", "an abbreviation may be several zones; write the offset"),
    (r".*[A-Za-z]+/[A-Za-z_]+\]?", "a zone's name is not an offset; write the offset of that instant, like -05:00"),
    (rf"{_DATE}([Tt ]{_TIME}(:[0-9]{{2}}([.,][0-9]+)?)?)?", "it has no offset, which is never guessed"),
    (r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}\b.*", "`airloop land --time-format` says how it is written"),
    (
        r"[0-9]{4,5}(\.[0-9]+)?",
        "days as a spreadsheet counts them? `airloop land --time-format COLUMN=excel` reads them",
    ),
    (r"[0-9]{9,10}(\.[0-9]+)?", "seconds since 1970? `airloop land --time-format COLUMN=epoch_seconds` reads them"),
    (r"[0-9]{12,13}", "milliseconds since 1970? `airloop land --time-format COLUMN=epoch_milliseconds` reads them"),
)
_BOOLEAN_CAUSES = (
    (r"(?i)yes|no|y|n|t|f|on|off|[01]([.]0)?", "other spellings are not guessed; declare a string or integer for them"),
)
_CAUSES = {
    "integer": _INTEGER_CAUSES,
    "float": _FLOAT_CAUSES,
    "timestamp": _TIME_CAUSES,
    "boolean": _BOOLEAN_CAUSES,
}


def why_not(kind: str, text: str) -> str:
    """Why a text is not of a type, and what to do: `'02134' is not a whole number ...: a number would lose ...`."""
    cause = next((says for pattern, says in _CAUSES.get(kind, ()) if re.fullmatch(pattern, text.strip(_BLANKS))), "")
    return f"{text!r} is not {_EXPECTED.get(kind, 'text')}{f': {cause}' if cause else ''}"
