"""What a table's columns become: columns of the feeds, features of the view, or neither, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl
from slugify import slugify

from airloop.authoring.scaffold.key_columns import counts_rows
from airloop.authoring.scaffold.roles import Roles
from airloop.config.feed import RESERVED_COLUMNS, ColumnType
from airloop.errors import ConfigError
from airloop.sources.land_tables import Table

_MOST_TEXTS = 1000
_ROWS_A_TEXT = 5
_WORDS_OF_PROSE = 6
_FEW_TEXTS = 20
_WORDS_OF_TEXT = 4
_WORD = r"\w\w+"
_SHOWN = 5
# Other letters are written as they sound; German has a spelling of its own for these.
_UMLAUTS = [["ä", "ae"], ["ö", "oe"], ["ü", "ue"], ["Ä", "ae"], ["Ö", "oe"], ["Ü", "ue"], ["ß", "ss"]]
# Names that the training frame or Feast use themselves.
_TAKEN = frozenset({"label", "part", "decision_time", "event_timestamp", "feature_timestamp", *RESERVED_COLUMNS})


@dataclass(frozen=True)
class Column:
    """A column the feed declares.

    Attributes:
        feature: Name under which it is a feature; None when it is none.
        why_not: Why it is not a feature; empty for key, time and label.
        low: Smallest number; None unless it is a number.
        texts: Its different texts when they are few, else empty.
        free_text: Whether it is read by its words.
    """

    name: str
    kind: ColumnType
    nulls: int
    feature: str | None = None
    why_not: str = ""
    low: float | None = None
    high: float | None = None
    texts: tuple[str, ...] = ()
    free_text: bool = False


def find_columns(table: Table, roles: Roles) -> tuple[tuple[Column, ...], dict[str, str]]:
    """The columns of the feeds in the order of the table, and those no feed can declare with the reason.

    Raises:
        ConfigError: No column is left to learn from.
    """
    left_out = dict(table.left_out)
    values = table.values()
    for name, kind in table.kinds.items():
        if kind == "empty":
            left_out[name] = "it holds no value, so its type is unknown"
        elif kind == "clock":
            left_out[name] = "its times have no offset; --timezone says whose clock they are"
        elif name in RESERVED_COLUMNS:
            left_out[name] = "the name is airloop's own; rename it in the table to keep it"
    columns = tuple(_column(values[name], roles) for name in values.columns if name not in left_out)
    named = _with_feature_names(columns, roles)
    if not any(column.feature for column in named):
        raise ConfigError(_nothing_to_learn_from(table, roles, named, left_out))
    return named, left_out


def _nothing_to_learn_from(table: Table, roles: Roles, columns: Iterable[Column], left_out: Mapping[str, str]) -> str:
    role_names = {*roles.key, roles.time, roles.label}
    why = {column.name: column.why_not for column in columns if column.name not in role_names} | dict(left_out)
    says = "; ".join(f"{name}: {reason}" for name, reason in list(why.items())[:_SHOWN]) or "there is no other column"
    more = f"; and {len(why) - _SHOWN} more" if len(why) > _SHOWN else ""
    return (
        f"{table.path}: besides key, time and label ({', '.join(sorted(role_names))}) no column is a feature "
        f"({says}{more}): bring a column that is known when the prediction is asked for and differs between rows"
    )


def identifier(text: str) -> str:
    """A name for SQL, Feast and Python made of a header: `Größe (m)` is groesse_m, `Возраст` is vozrast."""
    name = text if text.isascii() and text.isidentifier() else slugify(text, separator="_", replacements=_UMLAUTS)
    return name if name and not name[0].isdigit() else f"column_{name}"


def _column(values: pl.Series, roles: Roles) -> Column:
    name, nulls = values.name, values.null_count()
    if name == roles.time:
        return Column(name, "timestamp", nulls)
    if (name,) == roles.key:
        return Column(name, "string", nulls)  # a name, also when it is made of digits
    if name == roles.label:
        return described(values, feature=None, why_not="")
    why_not = why_no_feature(values)
    return described(values, feature=None if why_not else name, why_not=why_not)


def described(values: pl.Series, *, feature: str | None, why_not: str) -> Column:
    """A column with what its values say."""
    kinds: dict[type[pl.DataType], ColumnType] = {
        pl.String: "string", pl.Int64: "integer", pl.Float64: "float", pl.Boolean: "boolean", pl.Datetime: "timestamp",
    }  # fmt: skip
    number = values.dtype.is_numeric()
    texts = values.drop_nulls().unique().sort().to_list() if values.dtype == pl.String else []
    return Column(
        name=values.name,
        kind=kinds[values.dtype.base_type()],
        nulls=values.null_count(),
        feature=feature,
        why_not=why_not,
        low=float(values.min()) if number else None,  # type: ignore[arg-type]
        high=float(values.max()) if number else None,  # type: ignore[arg-type]
        texts=tuple(texts) if len(texts) <= _FEW_TEXTS else (),
        free_text=not why_not and values.dtype == pl.String and not _are_categories(values, len(texts)),
    )


def why_no_feature(values: pl.Series) -> str:
    """Why a column's values are nothing to learn from; empty when they are."""
    different = values.drop_nulls().n_unique()
    if values.dtype == pl.Datetime:
        return "a timestamp; what matters is how far it lies from another"
    if different < 2:
        return "it never varies"
    if counts_rows(values):
        return "it counts the rows of the file"
    if values.dtype == pl.String and not _are_categories(values, different) and not _share_words(values):
        return f"{different:,} different texts are names, or prose without words to learn from"
    return ""


def _share_words(values: pl.Series) -> bool:
    """Whether different texts are documents to read by their words: remarks are, names and number plates are not.

    Half of the texts have _WORDS_OF_TEXT words or more, half of all words stand in so many texts that a model learns
    them, and these words alone still tell more than _FEW_TEXTS documents apart.
    """
    from airloop.models.documents import FEWEST_DOCUMENTS  # only here: it takes scikit-learn, and most tables none

    documents = values.drop_nulls().str.to_lowercase().str.extract_all(_WORD).list.unique()
    if not len(documents) or float(documents.list.len().median() or 0) < _WORDS_OF_TEXT:  # type: ignore[arg-type]
        return False
    words = pl.DataFrame({"word": documents}).with_row_index("row").explode("word").drop_nulls()
    learned = words.filter(pl.len().over("word") >= FEWEST_DOCUMENTS)
    different = learned.group_by("row").agg(pl.col("word").sort())["word"].n_unique()
    return len(learned) >= len(words) / 2 and different > _FEW_TEXTS


def _are_categories(values: pl.Series, different: int) -> bool:
    """Whether texts come again often enough to be learned from: breeds and towns do, names and sentences do not.

    Up to 20 different ones that are no more than half the rows, or up to 1,000 that each come five times on average and
    have fewer than six words.
    """
    if different <= min(_FEW_TEXTS, len(values) / 2):
        return True
    words = values.drop_nulls().unique().str.split(" ").list.len().median()
    return different <= min(_MOST_TEXTS, len(values) / _ROWS_A_TEXT) and float(words or 0) < _WORDS_OF_PROSE  # type: ignore[arg-type]


def _with_feature_names(columns: Iterable[Column], roles: Roles) -> tuple[Column, ...]:
    used_names = {*_TAKEN, entity_key(roles).lower()}
    named = []
    for column in columns:
        if column.feature is None:
            named.append(column)
            continue
        named.append(replace(column, feature=free_name(column.feature, used_names)))
    return tuple(named)


def free_name(text: str, used_names: set[str]) -> str:
    """An identifier made of a header that is none of `used_names` (in small letters), to which it is added."""
    name = identifier(text)
    while name.lower() in used_names | _TAKEN:
        name = f"{name}_value"
    used_names.add(name.lower())
    return name


def entity_key(roles: Roles) -> str:
    """The one text column that identifies an example: the key, or `row_id` for what is made of several or of a time."""
    name = identifier(roles.key[0])
    if not is_text(roles):
        return "row_id"
    return f"{name}_id" if name.lower() in _TAKEN else name


def is_text(roles: Roles) -> bool:
    """Whether the key is one column of names, which needs no making."""
    return len(roles.key) == 1 and roles.key != (roles.time,)
