"""What the writer of a table meant where its text does not say it: marks, words, numbers, clocks."""

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl

from airloop.config.nearest import nearest
from airloop.data import written_times
from airloop.data.clock_times import CLOCK_CHANGES, INSTANT, ClockChange, instants
from airloop.data.value_rules import clock
from airloop.data.written_times import looks_like_times
from airloop.errors import ConfigError, DataContractError

__all__ = ["INSTANT", "Dialect", "clock", "instants", "looks_like_times", "read_as_meant"]

_SEPARATORS = (",", ";", "\t", "|")
MISSING_WORDS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "-", "?", "inf", "-inf")
_NUMBER = r"^\s*[+-]?(\d+|\d{1,3}(GROUP\d{3})+)(POINT\d+)?([eE][+-]?\d+)?\s*$"


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes:
        timezone: The clock of timestamps without an offset; None refuses to guess.
        missing: Texts that stand for a missing value, besides the empty field.
        separator: What parts the columns of a CSV; None is a comma, and refuses a header that has more of another.
        decimal: The decimal mark, `.` or `,`; the other one parts thousands. None refuses numbers with commas.
        time_format: How times are written that are not ISO 8601, like `%d.%m.%Y %H:%M`; see landing.written_times.
        clock_change: What becomes of times that the clocks of `timezone` skip or repeat.
    """

    timezone: str | None = None
    missing: tuple[str, ...] = ()
    separator: str | None = None
    decimal: str | None = None
    time_format: str | None = None
    clock_change: ClockChange = "refuse"

    def __post_init__(self) -> None:
        object.__setattr__(self, "separator", {"\\t": "\t", "tab": "\t"}.get(self.separator or "", self.separator))
        if self.separator is not None and (len(self.separator) != 1 or not self.separator.isascii()):
            raise ConfigError(f"--separator {self.separator!r}: give one character, like ';', or tab")
        if self.decimal not in (None, ".", ","):
            raise ConfigError(f"--decimal {self.decimal!r}: a decimal mark is . or ,")
        if self.clock_change not in CLOCK_CHANGES:
            hint = nearest(self.clock_change, CLOCK_CHANGES)
            raise ConfigError(f"--clock-change {self.clock_change!r}{hint} (one of {', '.join(CLOCK_CHANGES)})")
        try:
            ZoneInfo(self.timezone or "UTC")
        except (ZoneInfoNotFoundError, OSError, ValueError) as error:
            near = difflib.get_close_matches(self.timezone or "", sorted(available_timezones()), n=1, cutoff=0.4)
            like = near[0] if near else "Europe/Berlin"
            raise ConfigError(f"--timezone {self.timezone!r}: no such time zone; write a name like {like}") from error

    def options(self) -> list[str]:
        """The words that say the same on a command line."""
        single = {
            "--separator": "tab" if self.separator == "\t" else self.separator,
            "--decimal": self.decimal,
            "--time-format": self.time_format,
            "--timezone": self.timezone,
            "--clock-change": None if self.clock_change == "refuse" else self.clock_change,
        }
        words = [word for option, value in single.items() if value is not None for word in (option, value)]
        return [*words, *(word for text in self.missing for word in ("--missing", text))]


def separator_of(path: Path, content: bytes, dialect: Dialect) -> str:
    """The character that parts columns.

    Raises:
        DataContractError: None was given, and the header has more of another than commas; or a line above it names one.
    """
    header = content.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace")
    if header.lower().startswith("sep="):
        raise DataContractError(
            f"{path}: its first line, {header.strip()!r}, tells a spreadsheet what parts the columns: remove it, and "
            "add --separator where that is not a comma"
        )
    if dialect.separator is not None:
        return dialect.separator
    separator = max(_SEPARATORS, key=header.count)
    if header.count(separator) > header.count(","):
        shown = "tab" if separator == "\t" else repr(separator)
        raise DataContractError(
            f"{path}: the header uses {shown}, not commas: add --separator {shown}{_and_decimal(separator)}"
        )
    return ","


def _and_decimal(separator: str) -> str:
    return ", and --decimal , if 1,5 is one and a half" if separator == ";" else ""


def read_as_meant(path: Path, texts: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """The texts as landing reads them: null where a value is missing, decimal points, ISO 8601.

    Raises:
        DataContractError: Nothing is written in the time format, or numbers have commas and no mark was given.
    """
    texts = texts.with_columns(pl.when(~pl.all().is_in(dialect.missing)).then(pl.all()))
    if dialect.time_format is not None:
        texts = written_times.read(path, texts, dialect.time_format)
    return texts.with_columns(_numbers(path, texts[name], dialect) for name in texts.columns)


def refuse_words(path: Path, texts: pl.DataFrame, kinds: Mapping[str, str]) -> None:
    """A column that is text only because its missing values are words would become a useless category.

    Args:
        kinds: Column of texts -> the kind of its values without such words.

    Raises:
        DataContractError: Names the columns, the words, and the option that declares them.
    """
    counts: dict[str, int] = {}
    columns: list[str] = []
    for name, kind in kinds.items():
        words = texts[name].filter(texts[name].is_in(MISSING_WORDS))
        if len(words) and kind not in ("string", "empty"):
            columns.append(repr(name))
            for word in words:
                counts[word] = counts.get(word, 0) + 1
    if counts:
        listed = ", ".join(f"{count:,} times {word!r}" for word, count in counts.items())
        options = " ".join(f"--missing {shlex.quote(word)}" for word in counts)
        raise DataContractError(
            f"{path}: among the numbers or times of {', '.join(columns)} stand {listed}; for landing only an empty "
            f"field is a missing value: add {options} if they mean that"
        )


def without_words(texts: pl.Series) -> pl.Series:
    """The values other than markers of a missing one."""
    return texts.filter(~texts.is_in(MISSING_WORDS))


def _numbers(path: Path, texts: pl.Series, dialect: Dialect) -> pl.Series:
    values = without_words(texts.drop_nulls())
    if not values.str.contains(",", literal=True).any():
        return texts if dialect.decimal != "," else _plain_numbers(texts, values, point=",")
    if dialect.decimal is not None:
        return _plain_numbers(texts, values, point=dialect.decimal)
    either = [bool(values.str.contains(_pattern(point)).all()) for point in ".,"]
    if any(either):
        first = values.filter(values.str.contains(",", literal=True))[0]
        raise DataContractError(
            f"{path}: column {texts.name!r} holds numbers with commas, like {first!r}: add --decimal , if the comma is "
            "the decimal mark, or --decimal . if it parts thousands"
        )
    return texts


def _plain_numbers(texts: pl.Series, values: pl.Series, *, point: str) -> pl.Series:
    """Without marks between thousands and with a decimal point; a column of anything else stays as it is."""
    if values.is_empty() or not values.str.contains(_pattern(point)).all():
        return texts
    group = "." if point == "," else ","
    return texts.str.replace_all(group, "", literal=True).str.replace(point, ".", literal=True)


def _pattern(point: str) -> str:
    group = "." if point == "," else ","
    return _NUMBER.replace("GROUP", re.escape(group)).replace("POINT", re.escape(point))
