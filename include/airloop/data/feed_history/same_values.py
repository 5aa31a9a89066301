"""Does one column say what another one says? Copied from it, or both read from one field."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from airloop.data.feed_history.exchanged import ABOVE
from airloop.data.feed_history.relations import PARTED
from airloop.data.feed_history.sketch import Sketch

_LEAST_WINDOWS = 3
_SAME = 0.9999


def find(past: Sequence[Sketch], window: Sketch, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Two columns of numbers that are equal in all rows, or all but some, and differed in every window before.

    Of the rows in which two columns differ a sketch has the share in which one is the larger; none where they do not.
    """
    if len(past) < _LEAST_WINDOWS:
        return
    for one, other in combinations(columns, 2):
        order = next((name for name in _both(one, other, ABOVE) if all(name in item.orders for item in past)), "")
        relation = next((name for name in _both(one, other, PARTED) if name in window.relations), "")
        if not order or order in window.orders or not relation:
            continue
        before = [item.relations[relation][0] for item in past if relation in item.relations]
        if window.relations[relation][0] >= _SAME and before and max(before) < _SAME:
            yield one, other


def _both(one: str, other: str, sign: str) -> tuple[str, str]:
    return f"{one}{sign}{other}", f"{other}{sign}{one}"
