"""Does one column say what another one says? Copied from it, or both read from one field."""

from collections.abc import Sequence

from airloop.data.feed_history.exchanged import ABOVE
from airloop.data.feed_history.relations import PARTED
from airloop.data.feed_history.sketch import Sketch

_LEAST_WINDOWS = 3
_SAME = 0.9999


def same(past: Sequence[Sketch], window: Sketch, one: str, other: str) -> bool:
    """Whether two columns of numbers are equal in all rows, or all but some, and differed in every window before.

    Of the rows in which two columns differ a sketch has the share in which one is the larger; none where they do not.
    """
    if len(past) < _LEAST_WINDOWS:
        return False
    order = next((name for name in _both(one, other, ABOVE) if all(name in item.orders for item in past)), "")
    relation = next((name for name in _both(one, other, PARTED) if name in window.relations), "")
    if not order or order in window.orders or not relation:
        return False
    before = [item.relations[relation][0] for item in past if relation in item.relations]
    return window.relations[relation][0] >= _SAME and bool(before) and max(before) < _SAME


def _both(one: str, other: str, sign: str) -> tuple[str, str]:
    return f"{one}{sign}{other}", f"{other}{sign}{one}"
