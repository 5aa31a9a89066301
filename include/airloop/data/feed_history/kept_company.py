"""Do two columns still go with what each went with? Then they were not exchanged, wherever they lie.

A rank correlation does not change with the unit: in another one a column may lie where its neighbour lay, and goes with
a third as it did in the first.
"""

import math
from collections.abc import Sequence

import numpy as np

from airloop.data.feed_history.relations import PARTED
from airloop.data.feed_history.sketch import Sketch

_LEAST_WINDOWS = 2
_APART = 0.25
"""So far apart (Fisher's z, mean) have two columns' relations to be for them to say whose they are."""
_NEARER = 0.5


def both(past: Sequence[Sketch], window: Sketch, one: str, other: str) -> bool:
    """Whether the relations of both columns to third ones are much nearer to their own past than to each other's."""
    now, before = of(window, one, other), [of(sketch, one, other) for sketch in past]
    thirds = [third for third in now if sum(third in item for item in before) >= _LEAST_WINDOWS]
    if not thirds:
        return False
    quartiles = np.array([now[third][:2] for third in thirds])
    usual = np.array([np.mean([item[third][:2] for item in before if third in item], axis=0) for third in thirds])
    if np.abs(usual[:, 0] - usual[:, 1]).mean() < _APART:
        return False
    own, crossed = np.abs(quartiles - usual).mean(), np.abs(quartiles - usual[:, ::-1]).mean()
    return bool(own < _NEARER * crossed)


def of(sketch: Sketch, one: str, other: str) -> dict[str, tuple[float, float, int]]:
    """Third column -> Fisher's z of its relation to one and to the other, and the rows of the smaller of both."""
    known: dict[str, dict[str, tuple[float, int]]] = {one: {}, other: {}}
    for name, (strength, rows) in sketch.relations.items():
        first, second = name.split(PARTED)
        for column, third in ((first, second), (second, first)):
            if column in known and third not in known:
                known[column][third] = (math.atanh(min(max(strength, -0.995), 0.995)), rows)
    return {
        third: (z, known[other][third][0], min(rows, known[other][third][1]))
        for third, (z, rows) in known[one].items()
        if third in known[other]
    }
