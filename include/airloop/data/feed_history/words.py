"""Rows that no event stands behind: a line of totals below a day, the trials of those who look after a system."""

from collections.abc import Mapping, Sequence

import polars as pl

TOTALS = frozenset(
    ("total", "totals", "grand total", "subtotal", "sub-total", "sum", "summe", "gesamt", "somme", "suma")
)
TRIALS = frozenset(("test", "tests", "testing", "test test", "dummy", "asdf", "qwerty", "foo", "foobar", "lorem ipsum",
                    "do not use", "sample", "example", "ignore"))  # fmt: skip
_LEAST_ROWS = 2
_BEGINS = r"^(?:grand |sub)?totals?[ _:\-]*[\d\-/.: ]*$|^test(?:ing)?[ _\-:.]*\d*$"
"""With a number or a day behind it: `Total 2024-01-05`, `test_17`."""

Words = Mapping[str, Mapping[str, int]]
"""Column -> word as it stands -> rows."""


def find(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, dict[str, int]]:
    """The texts of columns, keys included, that are words for a total or a trial."""
    by_column = {}
    for name in columns:
        values = rows[name].drop_nulls()
        plain = values.str.strip_chars().str.to_lowercase()
        strange = values.filter(plain.is_in(list(TOTALS | TRIALS)) | plain.str.contains(_BEGINS))
        if strange.len():
            by_column[name] = dict(strange.alias("word").value_counts(sort=True, name="rows").head(10).iter_rows())
    return by_column


def new(past: Sequence[Words], window: Words, column: str) -> tuple[str, int, bool] | None:
    """(a word that no window had in the column, rows with such words, whether it is one of totals); else None."""
    known = {word for earlier in past for word in earlier.get(column, {})}
    strange = {word: rows for word, rows in window.get(column, {}).items() if word not in known}
    if not past or sum(strange.values()) < _LEAST_ROWS:
        return None
    word = max(strange, key=lambda item: (strange[item], item))
    plain = word.strip().lower()
    return word, sum(strange.values()), plain in TOTALS or "total" in plain
