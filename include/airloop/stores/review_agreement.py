"""How well people agree beyond chance: Cohen's kappa of each two, by scikit-learn."""

import json
import math
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from airloop.records import Record
from airloop.stores.reviews import Answer

_FEWEST = 2


@dataclass(frozen=True)
class Agreement(Record):
    """Two people who answered about the same items.

    Attributes:
        items: Answered by both.
        same: Of those, with the same answer.
        kappa: Cohen's kappa (1960): 1 is full agreement, 0 what chance would give; None with fewer than two items, or
            where both always said one and the same thing, for which it is not defined.
    """

    first: str
    second: str
    items: int
    same: int
    kappa: float | None


def agreement(answers: Iterable[Sequence[Answer]]) -> list[Agreement]:
    """Of every two people who met, those with the most common items first."""
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for of_item in answers:
        by_person = {one.person: json.dumps(one.answer, sort_keys=True) for one in of_item}
        for first, second in combinations(sorted(by_person), 2):
            pairs[first, second].append((by_person[first], by_person[second]))
    agreements = [
        Agreement(first, second, len(both), sum(one == other for one, other in both), _kappa(both))
        for (first, second), both in pairs.items()
    ]
    return sorted(agreements, key=lambda one: (-one.items, one.first, one.second))


def _kappa(both: Sequence[tuple[str, str]]) -> float | None:
    if len(both) < _FEWEST:
        return None
    from sklearn.metrics import cohen_kappa_score  # seconds to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it is not defined
        value = float(cohen_kappa_score([one for one, _ in both], [other for _, other in both]))
    return None if math.isnan(value) else value
