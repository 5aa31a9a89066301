"""Are a text column's values other ones than before? A recoded column has none, or few, of the values it had."""

from collections.abc import Sequence

from airloop.data.feed_history.sketch import Texts

_LEAST_ROWS = 50
_KNOWN = 0.7
"""Of the rows whose value was usual before, at least this share has to have a usual value still."""
_ROWS_A_VALUE, _COVERED = 5, 0.5
"""A column with fewer rows for each value, or whose most frequent values cover fewer rows, is made of names."""
_FEW = 20
_LEAST_SHARE_OF_OUTCOME = 0.001
_NAMES_WINDOWS, _NAMES, _LEFT, _TENTH, _TIMES = 3, 50, 0.35, 0.1, 5.0
_USUAL, _GONE = 0.05, 0.1
"""A value is usual that every window had in such a share of its rows, and gone with less than a tenth of that."""


def share_known(past: Sequence[Texts], window: Texts) -> tuple[float, float] | None:
    """The share of rows with a value that was usual before, and what it was; None where nothing is to compare."""
    earlier = [texts for texts in past if texts.rows >= _LEAST_ROWS]
    if not earlier or window.rows < _LEAST_ROWS:
        return None
    usual = {value for texts in earlier for value in texts.top}
    now = sum(rows for value, rows in window.top.items() if value in usual) / window.rows
    before = sum(earlier[-1].top.values()) / earlier[-1].rows
    names = earlier[-1].rows < _ROWS_A_VALUE * earlier[-1].different
    return None if names or before < _COVERED else (now, before)


def recoded(past: Sequence[Texts], window: Texts) -> bool:
    """Whether so many rows have a value never seen before that the column must mean something else."""
    shares = share_known(past, window)
    return shares is not None and shares[0] < _KNOWN * shares[1]


def gone(past: Sequence[Texts], window: Texts) -> tuple[str, float] | None:
    """The most usual value that hardly a row has now, and the least share it had; None where there is none."""
    if not past:
        return None
    least = {value: min(texts.top.get(value, 0) / texts.rows for texts in past) for value in past[-1].top}
    missing = [
        (share, value)
        for value, share in least.items()
        if share >= _USUAL
        and share * window.rows >= _LEAST_ROWS
        and window.top.get(value, 0) < _GONE * share * window.rows
    ]
    if not missing:
        return None
    share, value = max(missing)
    return value, share


def fewer_names(past: Sequence[Texts], window: Texts) -> tuple[float, float] | None:
    """Different values a row, now and at least before, of names of which a third or less is left; else None."""
    if len(past) < _NAMES_WINDOWS or min(texts.different for texts in past) < _NAMES:
        return None
    least, now = min(texts.different / texts.rows for texts in past), window.different / window.rows
    # More rows of the same names have fewer different ones a row.
    alike = window.rows <= 2 * max(texts.rows for texts in past)
    return (now, least) if alike and window.rows >= _LEAST_ROWS and now < _LEFT * least else None


def one_name(past: Sequence[Texts], window: Texts) -> tuple[str, float, float] | None:
    """(a name that a tenth of the rows have, its share, the largest that any name had before); else None."""
    if len(past) < _NAMES_WINDOWS or min(texts.different for texts in past) < _NAMES or not window.top:
        return None
    value, rows = next(iter(window.top.items()))
    before = max(max(texts.top.values()) / texts.rows for texts in past)
    share = rows / window.rows
    return (value, share, before) if share > max(_TENTH, _TIMES * before) and window.rows >= _LEAST_ROWS else None


def new_outcomes(past: Sequence[Texts], window: Texts) -> dict[str, int]:
    """Values of an outcome's column that no earlier window had, with their rows: a label has few values, all known."""
    earlier = [texts for texts in past if texts.rows >= _LEAST_ROWS]
    if not earlier or any(texts.different > _FEW for texts in earlier):
        return {}
    known = {value for texts in earlier for value in texts.top}
    strange = {value: rows for value, rows in window.top.items() if value not in known}
    return strange if sum(strange.values()) > _LEAST_SHARE_OF_OUTCOME * window.rows else {}
