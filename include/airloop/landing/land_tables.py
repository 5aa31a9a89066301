"""Tables that people bring, CSV or parquet, as the texts a landing file would hold, and the kinds of their values."""

import difflib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
import pyarrow as pa
import pyarrow.csv

from airloop.config.feed import ColumnType
from airloop.errors import ConfigError, DataContractError
from airloop.landing.landed_files import typed

Kind = ColumnType | Literal["clock", "empty"]

# ISO 8601 without an offset: a clock that was read, and no instant. Others (01/02/2013) could be either of two days.
_CLOCKS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
_INSTANT = "%Y-%m-%dT%H:%M:%S%.fZ"
_MISSING_WORDS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "-", "?", "inf", "-inf")
_CODE = r"^\s*[+-]?(0\d+|\d{19,})\s*$"  # 00501 is a name made of digits, and so is what no 64 bits hold


@dataclass(frozen=True)
class Dialect:
    """What the writer of a table meant where its text does not say it.

    Attributes:
        timezone: The clock of timestamps without an offset; None refuses to guess.
        missing: Texts that stand for a missing value, besides the empty field.
    """

    timezone: str | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table as texts.

    Attributes:
        texts: Every column String, null where a value is missing, instants in UTC (`2013-01-01T10:15:00Z`).
        kinds: Column -> what its values are: the type a feed would declare, `clock` (a timestamp without offset, and no
            timezone was given) or `empty` (no value at all).
        left_out: Column that no landing file can hold -> why.
    """

    path: Path
    texts: pl.DataFrame
    kinds: Mapping[str, Kind]
    left_out: Mapping[str, str]

    def values(self) -> pl.DataFrame:
        """The columns that a feed can declare, typed as landing types them."""
        kinds = {name: kind for name, kind in self.kinds.items() if kind not in ("clock", "empty")}
        return self.texts.select(typed(name, kind) for name, kind in kinds.items())

    def require(self, column: str, what: str) -> str:
        """The column's name.

        Raises:
            ConfigError: The table does not have it; names the nearest.
        """
        if column in self.kinds:
            return column
        why = f" it can use ({self.left_out[column]})" if column in self.left_out else ""
        close = difflib.get_close_matches(column, self.kinds, n=1, cutoff=0.5)
        near = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"{what}: {self.path} has no column {column!r}{why}{near} (columns: {', '.join(self.kinds)})")


def read_table(path: Path, dialect: Dialect) -> Table:
    """Read a table and find out what its columns hold; nothing is guessed that landing would refuse.

    A column is an integer, float, boolean or timestamp when landing would read every value of it as one; digits with a
    leading zero are a name. Parquet needs no dialect but the timezone of columns without one.

    Raises:
        ConfigError: No such file, neither .csv nor .parquet, no such time zone.
        DataContractError: Unreadable, no row, two columns of one name (upper and lower case are one for SQL), separated
            by something else than commas, missing values written as words and not declared, or a clock time that the
            time zone skips or repeats.
    """
    _check_zone(dialect)
    texts, left_out = _read(path, dialect)
    _refuse_shape(path, texts)
    named = [name for name in texts.columns if name.strip()]
    if len(named) < texts.width:
        left_out = {**left_out, "(without a name)": "the header gives it no name"}
    texts = texts.select(named)
    kinds = {name: kind_of(texts[name]) for name in named}
    _refuse_words(path, texts, kinds)
    if dialect.timezone is not None:
        clocks = [name for name, kind in kinds.items() if kind == "clock"]
        texts = texts.with_columns(_instants(path, texts[name], dialect.timezone) for name in clocks)
        kinds |= dict.fromkeys(clocks, "timestamp")
    return Table(path, texts, kinds, left_out)


def kind_of(texts: pl.Series) -> Kind:
    """What every value of a column of texts can be read as."""
    values = texts.drop_nulls()
    if values.is_empty():
        return "empty"
    if values.str.contains(_CODE).any():
        return "string"
    for kind in ("boolean", "integer", "float", "timestamp"):
        if values.to_frame("v").select(typed("v", kind).is_not_null().all()).item():
            return kind
    return "string" if _clock(values).null_count() else "clock"


def _read(path: Path, dialect: Dialect) -> tuple[pl.DataFrame, dict[str, str]]:
    kind = path.suffix.lower()
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; give a table as .csv or .parquet")
    if kind not in (".csv", ".parquet"):
        raise ConfigError(f"{path}: its name ends neither in .csv nor in .parquet; save the table as one of them")
    try:
        if kind == ".parquet":
            return _as_texts(pl.read_parquet(path))
        texts = _read_csv(path, path.read_bytes())
    except (OSError, pa.ArrowInvalid, pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        readable = "CSV in UTF-8" if kind == ".csv" else "parquet"
        why = str(error).strip().splitlines()[0][:200]
        raise DataContractError(f"{path}: not readable as {readable}: {why}") from error
    return texts.with_columns(pl.when(~pl.all().is_in(dialect.missing)).then(pl.all())), {}


def _read_csv(path: Path, content: bytes) -> pl.DataFrame:
    # Parsed as landing parses: what is missing, quoted or cut off here is so there.
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    names = pa.csv.open_csv(io.BytesIO(content), parse_options=parse).schema.names
    _refuse_twice(path, names)
    options = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    frame = pl.DataFrame(pa.csv.read_csv(io.BytesIO(content), parse_options=parse, convert_options=options))
    frame.columns = names  # polars names a column that the header does not
    return frame


def _as_texts(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Typed columns as the texts that landing reads back to the same values."""
    columns, left_out = [], {}
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Time, pl.Duration):
            left_out[name] = f"a landing file holds no {kind}"
        elif isinstance(kind, pl.Datetime):
            instant = column if kind.time_zone is None else column.dt.convert_time_zone("UTC")
            columns.append(instant.dt.strftime(_INSTANT if kind.time_zone else _INSTANT.removesuffix("Z")))
        elif kind.is_decimal():
            columns.append(column.cast(pl.Float64).cast(pl.String))
        elif kind.is_float():
            columns.append(column.fill_nan(None).cast(pl.String))
        else:
            columns.append(column.cast(pl.String))
    return frame.select(columns), left_out


def _refuse_shape(path: Path, texts: pl.DataFrame) -> None:
    _refuse_twice(path, texts.columns)
    if texts.is_empty():
        raise DataContractError(f"{path}: holds no row; a pipeline is inferred from rows")
    if texts.width == 1 and any(mark in texts.columns[0] for mark in ";\t|"):
        raise DataContractError(f"{path}: one column {texts.columns[0]!r}: landing reads columns separated by commas")


def _refuse_twice(path: Path, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise DataContractError(
                f"{path}: two columns are named {name!r} (upper and lower case are one name for SQL); rename one"
            )
        seen.add(name.lower())


def _refuse_words(path: Path, texts: pl.DataFrame, kinds: Mapping[str, Kind]) -> None:
    """A column that is text only because its missing values are words would become a useless category."""
    found: dict[str, int] = {}
    columns: list[str] = []
    for name in (name for name, kind in kinds.items() if kind == "string"):
        column = texts[name]
        words = column.filter(column.is_in(_MISSING_WORDS))
        if len(words) and kind_of(column.filter(~column.is_in(_MISSING_WORDS))) not in ("string", "empty"):
            columns.append(repr(name))
            for word in words:
                found[word] = found.get(word, 0) + 1
    if found:
        said = ", ".join(f"{count:,} times {word!r}" for word, count in found.items())
        options = " ".join(f"--missing {word}" for word in found)
        raise DataContractError(
            f"{path}: among the numbers or times of {', '.join(columns)} stand {said}; for landing only an empty "
            f"field is a missing value: add {options} if they mean that"
        )


def _clock(texts: pl.Series) -> pl.Series:
    readings = [pl.col("v").str.to_datetime(form, time_unit="us", strict=False) for form in _CLOCKS]
    return texts.to_frame("v").select(pl.coalesce(readings)).to_series()


def _instants(path: Path, texts: pl.Series, timezone: str) -> pl.Series:
    clock = _clock(texts)
    local = clock.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    lost = texts.filter(local.is_null() & texts.is_not_null())
    if len(lost):
        raise DataContractError(
            f"{path}: column {texts.name!r}: {len(lost)} times are skipped or repeated when the clocks of {timezone} "
            f"change, first {lost[0]!r}; write timestamps with their offset, like 2013-11-03T01:30:00-04:00"
        )
    return local.dt.convert_time_zone("UTC").dt.strftime(_INSTANT).alias(texts.name)


def _check_zone(dialect: Dialect) -> None:
    try:
        ZoneInfo(dialect.timezone or "UTC")
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ConfigError(
            f"--timezone {dialect.timezone!r}: no such time zone; write a name like Europe/Berlin"
        ) from error
