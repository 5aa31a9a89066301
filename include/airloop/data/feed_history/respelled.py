"""Is a value another spelling of one that was there, or a word for "missing" in place of nothing?

`north` beside `North`, `Café` beside `Cafe`, `KÃ¶ln` for `Köln`, `1.0` for `1`, `Frankf` for `Frankfurt`, a blank that
nobody sees, and the `N/A` that a table program writes into empty cells are new categories to a model, however few
their rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from airloop.data.feed_history import written_forms
from airloop.data.feed_history.sketch import Texts

_LEAST_SHARE, _LEAST_ROWS = 0.005, 5
_MISSING = frozenset(
    (
        *("", "-", "--", ".", "?", "#n/a", "#na", "#null!", "n/a", "n.a.", "na", "nan", "nat", "nil", "none", "null"),
        *("(null)", "<na>", "missing", "not available", "undefined", "unknown", r"\n"),
        *("0", "00000", "-1", "999", "9999", "99999", "-999", "xx", "xxx", "tbd", "tba", "not set", "unspecified"),
    )
)
_LEAST_CUT = 3


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
    by_form = {form: value for value in sorted(known) for form in written_forms.forms(value)}
    longest = max(map(len, window.top), default=0)
    cut_off = [value for value in known if len(value) > longest and value not in window.top]
    missing, respelled = [], []
    for value, rows in window.top.items():
        if value in known:
            continue
        if value.strip().lower() in _MISSING:
            missing.append((rows, value, ""))
        elif like := _like(value, known, by_form) or (_cut(value, cut_off) if len(value) == longest else ""):
            respelled.append((rows, value, like))
    larger = max((missing, respelled), key=lambda group: sum(rows for rows, _, _ in group))
    rows = sum(count for count, _, _ in larger)
    if rows < max(_LEAST_ROWS, _LEAST_SHARE * window.rows):
        return None
    _, value, like = max(larger)
    return Respelled(rows / window.rows, value, like)


def _like(value: str, known: Iterable[str], by_form: Mapping[str, str]) -> str:
    """The known value of which this is another spelling; empty where there is none."""
    for form in written_forms.readings(value):
        if form in by_form:
            return by_form[form]
    lost = written_forms.lost_letters(value)
    return next((item for item in sorted(known) if lost.fullmatch(item)), "") if lost else ""


def _cut(value: str, cut_off: Sequence[str]) -> str:
    """The known value, gone now, of which this is the beginning: where a field ends, all longer texts end."""
    if len(value) < _LEAST_CUT:
        return ""
    return min((item for item in cut_off if item.startswith(value)), default="")
