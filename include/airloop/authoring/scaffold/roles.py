"""Which columns of a table are key, time and label, and what task the label makes: as given, or by the values."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import polars as pl

from airloop.authoring.scaffold import label_spellings
from airloop.authoring.scaffold.key_columns import NAMED_LIKE_KEYS, counts_rows, key_fault
from airloop.authoring.scaffold.label_spellings import YES
from airloop.config import TaskKind
from airloop.config.feed import RESERVED_COLUMNS
from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_dialect import looks_like_times
from airloop.sources.land_tables import Table

MOST_CLASSES = 30
BY_HAND = {
    "quantiles": "make it with --task regression, then write the levels into prediction.quantiles",
    "anomaly": "make it with --task binary, then write prediction.alarm_share and the gate's rules",
}
"""Tasks that are declared by hand -> how."""
_SHOWN_COLUMNS, _SHOWN_CHARACTERS = 8, 30
_MOST_WHOLE_NUMBERS = 10  # more different whole numbers are an amount


@dataclass(frozen=True)
class Asked:
    """What the command line says about the table; None and () leave it to inference."""

    key: tuple[str, ...] = ()
    time: str | None = None
    label: str | None = None
    task: TaskKind | None = None

    @classmethod
    def checked(cls, key: tuple[str, ...], time: str | None, label: str | None, task: str | None) -> "Asked":
        """What a person typed.

        Raises:
            ConfigError: There is no such task.
        """
        for known in get_args(TaskKind):
            if task in (None, known) and known not in BY_HAND:
                return cls(key, time, label, known if task else None)
        if task in BY_HAND:
            raise ConfigError(f"--task {task}: {BY_HAND[task]}; see docs/guides/problems.md")
        inferred = [known for known in get_args(TaskKind) if known not in BY_HAND]
        raise ConfigError(f"--task {task}: there is no such task (tasks: {', '.join(inferred)})")


@dataclass(frozen=True)
class Roles:
    """The columns with a role of their own.

    Attributes:
        other_times: Further timestamp columns that could have been the time.
        classes: The label's different values; for a binary task the value that stands for 1 is the last.
    """

    key: tuple[str, ...]
    time: str
    other_times: tuple[str, ...]
    label: str
    task: TaskKind
    classes: tuple[str | int | float | bool, ...]


def find_roles(table: Table, asked: Asked) -> Roles:
    """Time first, because a key may need it, the label last.

    Raises:
        ConfigError: A given column does not exist or cannot have its role, or a role has no column; says what to do.
        DataContractError: Rows share the given key, a time or key is missing in some, or one class of the label is
            written in several ways.
    """
    for role, names in (("--key", asked.key), ("--time", (asked.time,)), ("--label", (asked.label,))):
        for name in filter(None, names):
            table.require(name, role)
            if name in RESERVED_COLUMNS:
                raise ConfigError(f"{role} {name}: the column name is airloop's own; rename it in {table.path}")
    values = table.values().select(pl.exclude(RESERVED_COLUMNS))
    time, other_times = _time(table, values, asked)
    key = _given_key(table, values, asked.key) if asked.key else _unique_key(table, values, time, asked.label)
    label, task = _label(table, values, asked, taken=(*key, time))
    if asked.task != "multiclass":
        label_spellings.refuse(table.path, values[label])
    return Roles(key, time, other_times, label, task, _classes(values[label], task))


def task_of(label: pl.Series) -> TaskKind | None:
    """The task a column makes as label: of two values binary, of few multiclass, of numbers regression, or none."""
    different = label.drop_nulls().n_unique()
    number = label.dtype.is_numeric()
    if different < 2 or label.dtype == pl.Datetime:
        return None
    if different == 2:
        return "binary" if label.dtype != pl.Float64 or set(label.drop_nulls().unique()) == {0.0, 1.0} else "regression"
    if label.dtype == pl.String:
        return "multiclass" if different <= MOST_CLASSES else None
    if label.dtype == pl.Int64 and different <= _MOST_WHOLE_NUMBERS:
        return "multiclass"
    return "regression" if number else None


def _time(table: Table, values: pl.DataFrame, asked: Asked) -> tuple[str, tuple[str, ...]]:
    times = [name for name in values.columns if values.schema[name] == pl.Datetime]
    whole = [name for name in times if not values[name].null_count()]
    if asked.time is not None:
        if asked.time not in times:
            raise ConfigError(f"--time {asked.time}: {_no_time(table, asked.time)}")
        _refuse_missing(table, values, "--time", asked.time)
        return asked.time, ()
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
        first = table.texts[column].drop_nulls()[0]
        return (
            f"{column!r} looks like times, like {first!r}: say how they are written, like "
            "--time-format '%d.%m.%Y %H:%M' or '%m/%d/%Y' (day and month are not guessed)"
        )
    why = f"{column!r} is a {table.kinds[column]}. " if column else ""
    return (
        f"{why}airloop trains on older rows and judges on newer ones, so every row needs the instant it is about, "
        "ISO 8601 with its offset, like 2013-01-31T10:15:00Z or 2013-01-31T10:15:00-05:00. Where a column holds it "
        f"in another form, say which and how: --time COLUMN --time-format '%Y%m%d' (or '%b %d, %Y', epoch_seconds, "
        f"excel){_first_values(table)}; else add such a column"
    )


def _first_values(table: Table) -> str:
    """What the first columns hold, so that a person sees which of them is meant."""
    firsts = {name: table.texts[name].drop_nulls().head(1).to_list() for name in table.kinds}
    shown = [f"{name} {first[0][:_SHOWN_CHARACTERS]!r}" for name, first in firsts.items() if first][:_SHOWN_COLUMNS]
    return f"; the columns hold {', '.join(shown)}" if shown else ""


def _given_key(table: Table, values: pl.DataFrame, key: tuple[str, ...]) -> tuple[str, ...]:
    for name in key:
        if name not in values.columns:
            raise ConfigError(f"--key {name}: the column is {table.kinds[name]}, and identifies nothing")
        _refuse_missing(table, values, "--key", name)
        if says := key_fault(table, name):
            raise DataContractError(f"--key {name}: {table.path}: {says}")
    shared = values.filter(pl.struct(key).is_duplicated())
    if shared.height:
        first = ", ".join(f"{name}={shared[name][0]}" for name in key)
        raise DataContractError(
            f"--key {','.join(key)}: {shared.height} rows of {table.path} share their key with another, first {first}; "
            "of rows with one key only the last would count: name more columns"
        )
    return key


def _unique_key(table: Table, values: pl.DataFrame, time: str, label: str | None) -> tuple[str, ...]:
    fit = values.select(name for name in values.columns if not (key_fault(table, name) or counts_rows(values[name])))
    nearest: tuple[str, ...] = (time,)
    fewest = values.height + 1
    for key in _key_candidates(fit, time, label):
        shared = int(values.select(pl.struct(key).is_duplicated().sum()).item())
        if not shared:
            return key
        if shared < fewest:
            nearest, fewest = key, shared
    raise ConfigError(
        f"{table.path}: no column, nor a text or whole number with {time!r}, is unique: name the columns that identify "
        f"a row by --key A,B (duplicate rows have to go first{_of_rows(values)}). Nearest is {','.join(nearest)}: "
        f"{_collision(values, nearest, fewest)}"
    )


def _collision(values: pl.DataFrame, key: tuple[str, ...], shared: int) -> str:
    """How many rows share a key, and the first two of them with the columns in which they differ."""
    rows = values.with_row_index("_row", offset=1).filter(pl.struct(key).is_duplicated())
    first = rows.filter(pl.all_horizontal(pl.col(name).eq_missing(rows[name][0]) for name in key))
    one, two = first.row(0, named=True), first.row(1, named=True)
    at = ", ".join(f"{name}={one[name]}" for name in key)
    differ = [name for name in values.columns if one[name] != two[name]]
    says = f"differ in {', '.join(differ[:5])}" if differ else "are alike in every column"
    return f"{shared:,} rows share it with another, first {at} (rows {one['_row']} and {two['_row']}, which {says})"


def _of_rows(values: pl.DataFrame) -> str:
    counting = [name for name in values.columns if counts_rows(values[name])]
    return f"; {counting[0]!r} counts the rows of this file, and starts again in the next one" if counting else ""


def _key_candidates(values: pl.DataFrame, time: str, label: str | None) -> Iterator[tuple[str, ...]]:
    """Named like a key, then texts, whole numbers, the time; then each, and each pair of texts, with the time."""
    fit = [
        name
        for kind in (pl.String, pl.Int64)
        for name in values.columns
        if values.schema[name] == kind and name != label and not values[name].null_count()
    ]
    singles: list[str] = sorted(fit, key=lambda name: not NAMED_LIKE_KEYS.search(name))
    yield from ((name,) for name in singles)
    yield (time,)
    yield from ((name, time) for name in singles)
    yield from ((*pair, time) for pair in itertools.combinations(singles, 2))


def _label(table: Table, values: pl.DataFrame, asked: Asked, *, taken: Sequence[str]) -> tuple[str, TaskKind]:
    if asked.label is None:
        for name in reversed([name for name in values.columns if name not in taken]):
            found = _task_if_fits(values[name], asked.task)
            if found:
                return name, found
        wanted = f" for --task {asked.task}" if asked.task else ""
        raise ConfigError(f"{table.path}: no column fits as label{wanted}: name it by --label COLUMN")
    if asked.label in taken:
        raise ConfigError(f"--label {asked.label}: the column is the key or the time; another has to be predicted")
    found = _task_if_fits(values[asked.label], asked.task) if asked.label in values.columns else None
    if found is None:
        different = table.texts[asked.label].drop_nulls().n_unique()
        wanted = f"{asked.task} label" if asked.task else "label"
        raise ConfigError(
            f"--label {asked.label}: {different} different values ({table.kinds[asked.label]}) make no {wanted}: two "
            f"values are a binary one, up to {MOST_CLASSES} texts or whole numbers a multiclass, numbers a regression"
        )
    return asked.label, found


def _task_if_fits(label: pl.Series, wanted: TaskKind | None) -> TaskKind | None:
    natural = task_of(label)
    if wanted is None or wanted == natural:
        return natural
    different = label.drop_nulls().n_unique()
    named = label.dtype in (pl.String, pl.Int64, pl.Boolean)
    fits = {
        "binary": False,
        "multiclass": named and 2 <= different <= MOST_CLASSES,
        "regression": label.dtype.is_numeric() and different > 1,
    }
    return wanted if fits[wanted] else None


def _classes(label: pl.Series, task: TaskKind) -> tuple[str | int | float | bool, ...]:
    if task == "regression":
        return ()
    counted = label.drop_nulls().value_counts(sort=True)
    found = sorted(counted[label.name].to_list())
    if task == "multiclass" or found == [0, 1]:
        return tuple(found)
    yes = [value for value in found if str(value).lower() in YES] or [counted[label.name].to_list()[-1]]
    return (*(value for value in found if value != yes[0]), yes[0])


def _refuse_missing(table: Table, values: pl.DataFrame, role: str, name: str) -> None:
    missing = values[name].null_count()
    if missing:
        raise DataContractError(f"{role} {name}: {missing} rows of {table.path} have no value in it")
