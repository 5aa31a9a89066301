"""Tables that people bring, CSV or parquet, as the texts a landing file would hold, and the kinds of their values."""

import io
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv

from airloop.config.nearest import nearest
from airloop.data import clock_times, key_text
from airloop.data.plain_text import other_form
from airloop.data.value_rules import Kind, kind_of, typed
from airloop.errors import ConfigError, DataContractError
from airloop.sources import land_dialect
from airloop.sources.land_dialect import INSTANT, Dialect

_SHOWN_BYTES = 12


@dataclass(frozen=True)
class Table:
    """A table as texts.

    Attributes:
        texts: Every column String, null where a value is missing, instants in UTC (`2013-01-01T10:15:00Z`).
        kinds: Column -> what its values are: the type a feed would declare, `clock` (a timestamp without offset, and no
            timezone was given) or `empty` (no value at all).
        left_out: Column that no landing file can hold -> why.
        floats: Columns that parquet holds as floats: ids among them have lost digits or got a `.0`.
        skipped: Rows left out because their clock time has no one instant, in words.
    """

    path: Path
    texts: pl.DataFrame
    kinds: Mapping[str, Kind]
    left_out: Mapping[str, str]
    floats: frozenset[str] = frozenset()
    skipped: tuple[str, ...] = ()

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
        near = nearest(column, self.kinds)
        raise ConfigError(f"{what}: {self.path} has no column {column!r}{why}{near} (columns: {', '.join(self.kinds)})")


def read_table(path: Path, dialect: Dialect) -> Table:
    """Read a table and find out what its columns hold; nothing is guessed that landing would refuse.

    A column is an integer, float, boolean or timestamp when landing reads every value of it as one: one set of rules,
    airloop.data.value_rules.

    Raises:
        ConfigError: No such file, neither .csv nor .parquet, no such time zone.
        DataContractError: Unreadable, no row, two columns of one name (upper and lower case are one for SQL), or what
            the dialect should say and does not: another separator, words for missing values, commas in numbers; or a
            clock time that the time zone skips or repeats.
    """
    texts, left_out, floats = _read(path, dialect)
    refuse_shape(path, texts.columns, texts.height)
    named = [name for name in texts.columns if name.strip()]
    if len(named) < texts.width:
        left_out = {**left_out, "(without a name)": "the header gives it no name"}
    texts = texts.select(named)
    kinds = {name: kind_of(texts[name]) for name in named}
    words = [name for name, kind in kinds.items() if kind == "string"]
    land_dialect.refuse_words(path, texts, {name: kind_of(land_dialect.without_words(texts[name])) for name in words})
    skipped: tuple[str, ...] = ()
    if dialect.timezone is not None:
        clocks = [name for name, kind in kinds.items() if kind == "clock"]
        texts, skipped = clock_times.with_instants(path, texts, clocks, dialect.timezone, dialect.clock_change)
        kinds |= dict.fromkeys(clocks, "timestamp")
    return Table(path, texts, kinds, left_out, floats, skipped)


def _read(path: Path, dialect: Dialect) -> tuple[pl.DataFrame, dict[str, str], frozenset[str]]:
    """Texts, columns left out with the reason, and the columns that are floats by their type."""
    kind = path.suffix.lower()
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; give a table as .csv or .parquet")
    if kind not in (".csv", ".parquet"):
        raise ConfigError(f"{path}: its name ends neither in .csv nor in .parquet; save the table as one of them")
    try:
        if kind == ".parquet":
            frame = pl.read_parquet(path)
            texts, left_out = _as_texts(frame)
            floats = frozenset(name for name, data_type in frame.schema.items() if data_type.is_float())
        else:
            content = path.read_bytes()
            _refuse_encoding(path, content)
            texts, left_out, floats = _read_csv(path, content, dialect), {}, frozenset()
    except (OSError, pa.ArrowInvalid, pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        readable = "CSV in UTF-8" if kind == ".csv" else "parquet"
        why = str(error).strip().splitlines()[0][:200]
        raise DataContractError(f"{path}: not readable as {readable}: {why}") from error
    return land_dialect.read_as_meant(path, texts, dialect), left_out, floats


def _refuse_encoding(path: Path, content: bytes) -> None:
    """Refuse a text that is not UTF-8; another encoding is not guessed, for every byte is a letter in several."""
    way = f"save it as CSV UTF-8, or: iconv -f {{}} -t UTF-8 {shlex.quote(path.name)} > utf8.csv"
    code = other_form(content)
    if code == "UTF-16":
        raise DataContractError(f"{path}: is written in UTF-16, and read in UTF-8 alone: {way.format(code)}")
    if code:
        what = f"{code}, as a spreadsheet is" if code == "a zip archive" else code
        raise DataContractError(f"{path}: is {what}, whatever its name says: unpack it, or save it as CSV UTF-8")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        around = content[max(error.start - _SHOWN_BYTES, 0) : error.start + _SHOWN_BYTES].decode("cp1252", "replace")
        text = next(part for part in around.splitlines() if not part.isascii())
        raise DataContractError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8 (as Windows-1252 it reads {text!r}): "
            f"{way.format('WINDOWS-1252')}"
        ) from error


def _read_csv(path: Path, content: bytes, dialect: Dialect) -> pl.DataFrame:
    # Parsed as landing parses: what is missing, quoted or cut off here is so there.
    separator = land_dialect.separator_of(path, content, dialect)
    parse = pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    names = pa.csv.open_csv(io.BytesIO(content), parse_options=parse).schema.names
    _refuse_names(path, names)
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
            columns.append(instant.dt.strftime(INSTANT if kind.time_zone else INSTANT.removesuffix("Z")))
        elif kind.is_float():
            columns.append(column.fill_nan(None).cast(pl.String))
        else:
            columns.append(column.cast(pl.String))
    return frame.select(columns), left_out


def refuse_shape(path: Path, names: Iterable[str], rows: int) -> None:
    """Refuse a table that no pipeline can be inferred from.

    Raises:
        DataContractError: It has no row, or two columns of one name, or a name with hidden characters.
    """
    _refuse_names(path, names)
    if not rows:
        raise DataContractError(f"{path}: holds no row; a pipeline is inferred from rows")


def _refuse_names(path: Path, names: Iterable[str]) -> None:
    lower_names: set[str] = set()
    for name in names:
        if name.strip() and (says := key_text.unseen(name.strip())):
            raise DataContractError(f"{path}: the column {name!r} has {says}; rename it in the table")
        if name.lower() in lower_names and not name.strip():
            raise DataContractError(f"{path}: the header leaves several columns without a name; name or remove them")
        if name.lower() in lower_names:
            raise DataContractError(
                f"{path}: two columns are named {name!r} (upper and lower case are one name for SQL); rename one"
            )
        lower_names.add(name.lower())
