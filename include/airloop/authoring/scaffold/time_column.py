"""The column that says at which instant a row is about its event."""

import polars as pl

from airloop.authoring.scaffold.named_roles import NamedRoles
from airloop.authoring.scaffold.time_hints import counted_from_1970, formats_of
from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_dialect import looks_like_times
from airloop.sources.land_tables import Table

_SHOWN_COLUMNS, _SHOWN_CHARACTERS = 8, 30


def time_column(table: Table, values: pl.DataFrame, named: NamedRoles) -> tuple[str, tuple[str, ...]]:
    """The column asked for, or the first timestamp that no row lacks, with the further ones that no row lacks.

    Raises:
        ConfigError: No column holds timestamps, or the one asked for does not; says how to tell them.
        DataContractError: Rows lack the time.
    """
    times = [name for name in values.columns if values.schema[name] == pl.Datetime]
    whole = [name for name in times if not values[name].null_count()]
    if named.time is not None:
        if named.time not in times:
            raise ConfigError(f"--time {named.time}: {_no_time(table, named.time)}")
        refuse_missing(table, values, "--time", named.time)
        return named.time, ()
    if whole:
        return whole[0], tuple(whole[1:])
    if times:
        raise DataContractError(
            f"{table.path}: {times[0]!r} is a timestamp, but {values[times[0]].null_count()} rows have none; "
            "every row needs the instant it is about"
        )
    clocks = [name for name, kind in table.kinds.items() if kind == "clock"]
    written = [name for name, kind in table.kinds.items() if kind == "string" and looks_like_times(table.texts[name])]
    raise ConfigError(f"{table.path}: no timestamp column. {_no_time(table, *[*clocks, *written][:1])}")


def _no_time(table: Table, column: str = "") -> str:
    if column and table.kinds[column] == "clock":
        first = table.texts[column].drop_nulls()[0]
        return (
            f"{column!r} holds times without an offset, like {first!r}, which are different instants on different "
            "clocks: say whose they are, like --timezone America/New_York"
        )
    if column and table.kinds[column] == "string" and looks_like_times(table.texts[column]):
        return _unread(column, table.texts[column])
    epoch = "" if column else counted_from_1970(table)
    if epoch:
        return epoch
    why = f"{column!r} is a {table.kinds[column]}. " if column else ""
    return (
        f"{why}airloop trains on older rows and judges on newer ones, so every row needs the instant it is about, "
        "ISO 8601 with its offset, like 2013-01-31T10:15:00Z or 2013-01-31T10:15:00-05:00. Where a column holds it "
        f"in another form, say which and how: --time COLUMN --time-format '%Y%m%d' (or '%b %d, %Y', epoch_seconds, "
        f"epoch_milliseconds, excel){_first_values(table)}; else add such a column"
    )


def _unread(column: str, texts: pl.Series) -> str:
    """The formats that would read a column's times, which a person has to choose from."""
    formats = formats_of(texts)
    shown = [f"'{name}'" for name in formats] or ["'%d.%m.%Y %H:%M'", "'%m/%d/%Y'"]
    how = "say how they are written, by" if formats else "say how they are written, like"
    why = "" if len(formats) == 1 else " (day and month are not guessed)"
    first = texts.drop_nulls()[0]
    return f"{column!r} looks like times, like {first!r}: {how} --time-format {' or '.join(shown)}{why}"


def _first_values(table: Table) -> str:
    """What the first columns hold, so that a person sees which of them is meant."""
    firsts = {name: table.texts[name].drop_nulls().head(1).to_list() for name in table.kinds}
    shown = [f"{name} {first[0][:_SHOWN_CHARACTERS]!r}" for name, first in firsts.items() if first][:_SHOWN_COLUMNS]
    return f"; the columns hold {', '.join(shown)}" if shown else ""


def refuse_missing(table: Table, values: pl.DataFrame, role: str, name: str) -> None:
    """Refuse a column in which rows have no value.

    Raises:
        DataContractError: A row has none.
    """
    missing = values[name].null_count()
    if missing:
        raise DataContractError(f"{role} {name}: {missing} rows of {table.path} have no value in it")
