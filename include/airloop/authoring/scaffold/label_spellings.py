"""Is each value of a label a class of its own? `Y` and `y `, or `yes` and `True`, are one class."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from airloop.errors import DataContractError
from airloop.sources.land_dialect import MISSING_WORDS

YES = (
    *("1", "yes", "y", "true", "t", "positive"),
    *("ja", "wahr", "oui", "vrai", "si", "s\N{LATIN SMALL LETTER I WITH ACUTE}", "sim", "tak", "\u0434\u0430"),
)
NO = (
    *("0", "no", "n", "false", "f", "negative"),
    *("nein", "falsch", "nee", "non", "faux", "n\N{LATIN SMALL LETTER A WITH TILDE}o", "nie", "\u043d\u0435\u0442"),
)
"""English, German, Dutch, French, Spanish, Italian, Portuguese, Polish, Russian."""


def refuse(path: Path, label: pl.Series) -> None:
    """Refuse texts of which several are one class, and those that stand for a missing value.

    Raises:
        DataContractError: Names the column, the values, and the ways out.
    """
    counted = label.drop_nulls().value_counts(sort=True, name="rows")
    if label.dtype != pl.String or not counted.height:
        return
    values = counted[label.name].to_list()
    words = [value for value in values if value.strip() in MISSING_WORDS]
    if words:
        options = " ".join(f"--missing {word!r}" for word in words)
        raise DataContractError(
            f"{path}: label {label.name!r} has {_listed(words)} among its {len(values)} values: add {options} where "
            "they mean that there is no outcome yet, or --task multiclass where each is a class of its own"
        )
    one = _one_class(values)
    if one:
        raise DataContractError(
            f"{path}: label {label.name!r}: {_listed(one)} look like one class written in several ways: have it "
            "written in one way, or say --task multiclass where each is a class of its own"
        )


def _one_class(values: Sequence[str]) -> list[str]:
    """The values that are the same but for case, blanks and marks; else, of yes and no, those that say the same."""
    groups: dict[str, list[str]] = {}
    for value in values:
        groups.setdefault(_plain(value), []).append(value)
    for spelled in groups.values():
        if len(spelled) > 1:
            return spelled
    if set(groups) <= {*YES, *NO}:
        for spellings in (YES, NO):
            if len(alike := [value for value in values if _plain(value) in spellings]) > 1:
                return alike
    return []


def _plain(value: str) -> str:
    """A text without case and without all that is not printed."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return "".join(char for char in folded if char.isprintable() and unicodedata.category(char) != "Cf").strip()


def _listed(values: Sequence[str]) -> str:
    return ", ".join(map(repr, values[:5]))
