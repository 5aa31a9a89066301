"""Is a value another spelling of one that was there, or a word for "missing" in place of nothing?

`north` beside `North`, `Café` beside `Cafe`, a blank that nobody sees, and the `N/A` that a table program writes into
empty cells are new categories to a model, however few their rows.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from airloop.data.feed_history.sketch import Texts

_LEAST_SHARE, _LEAST_ROWS = 0.005, 5
_MISSING = frozenset(
    (
        *("", "-", "--", ".", "?", "#n/a", "#na", "#null!", "n/a", "n.a.", "na", "nan", "nat", "nil", "none", "null"),
        *("(null)", "<na>", "missing", "not available", "undefined", r"\n"),
    )
)
_UNSEEN = ("Mn", "Cf", "Cc")


@dataclass(frozen=True)
class Respelled:
    """Values that no window before had: their share of the rows, one of them, and the known value that it looks like.

    Attributes:
        like: Empty where the value is a word for "missing".
    """

    share: float
    value: str
    like: str


def find(past: Sequence[Texts], window: Texts) -> Respelled | None:
    """The kind of new spelling that more rows have, if it is one in two hundred or more; None without a past."""
    known = {value for texts in past for value in texts.top}
    if not known:
        return None
    plain = {_plain(value): value for value in known}
    missing, respelled = [], []
    for value, rows in window.top.items():
        if value in known:
            continue
        if value.strip().lower() in _MISSING:
            missing.append((rows, value, ""))
        elif _plain(value) in plain:
            respelled.append((rows, value, plain[_plain(value)]))
    found = max((missing, respelled), key=lambda group: sum(rows for rows, _, _ in group))
    rows = sum(count for count, _, _ in found)
    if rows < max(_LEAST_ROWS, _LEAST_SHARE * window.rows):
        return None
    _, value, like = max(found)
    return Respelled(rows / window.rows, value, like)


def _plain(value: str) -> str:
    """A value without case, accents, blanks and characters that are not seen."""
    parts = unicodedata.normalize("NFKD", value.casefold())
    return "".join(
        part for part in parts if not part.isspace() and unicodedata.category(part) not in ("Mn", "Cf", "Cc")
    )
