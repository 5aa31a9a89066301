"""Has the outcome of one name changed, and that of the others not? One site that writes 1 for 0 moves all by little.

Of each name of an input (a shop, a supplier) the odds of an outcome are held against those of all other rows: a season
moves both. How much their ratio moves from window to window is measured on the past.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_LEAST_WINDOWS, _LEAST_ROWS = 4, 50
_FEW = 2.0
_LEAST, _DEVIATIONS, _BEYOND = 1.2, 5.0, 0.5
"""In logits: how far from the mean before at least, in usual moves, and beyond the furthest window."""

Profiles = Mapping[str, Mapping[str, int]]
"""Name -> outcome -> rows."""


@dataclass(frozen=True)
class PartRate:
    """The share of `outcome` among the rows of `name`, now and in the windows before (mean)."""

    name: str
    outcome: str
    observed: float
    expected: float


def find(past: Sequence[Profiles], window: Profiles) -> PartRate | None:
    """The name whose outcomes left their history alone; of several the one that moved furthest."""
    moves: list[tuple[float, float, str, str]] = []
    for name, counts in window.items():
        before = [profiles for profiles in past if sum(profiles.get(name, {}).values()) >= _LEAST_ROWS]
        if len(before) < _LEAST_WINDOWS or sum(counts.values()) < _LEAST_ROWS:
            continue
        for outcome in sorted({*counts, *(outcome for profiles in before for outcome in profiles[name])}):
            moved = _moved(before, window, name, outcome)
            if moved:
                shares = [_share(profiles[name], outcome) for profiles in before]
                moves.append((round(moved, 3), float(np.mean(shares)), name, outcome))
    if not moves:
        return None
    # Of two outcomes that changed places, the rarer one: that is what people ask about.
    _, expected, name, outcome = max(moves, key=lambda item: (item[0], -item[1]))
    return PartRate(name, outcome, _share(window[name], outcome), expected)


def _moved(past: Sequence[Profiles], window: Profiles, name: str, outcome: str) -> float:
    """By how many usual moves the ratio of odds left its history; 0 where it did not."""
    now, before = _ratio(window, name, outcome), [_ratio(profiles, name, outcome) for profiles in past]
    usual_share = float(np.mean([_share(profiles[name], outcome) for profiles in past]))
    # What few windows say of usual moves is widened; chance alone moves it by its error.
    by_chance = _error(sum(window[name].values()), usual_share)
    usual = max(float(np.std(before, ddof=1)) * (1 + _FEW / len(before)), by_chance)
    away = abs(now - float(np.mean(before)))
    beyond = max(now - max(before), min(before) - now)
    return away / usual if away >= max(_LEAST, _DEVIATIONS * usual) and beyond >= _BEYOND else 0.0


def _ratio(profiles: Profiles, name: str, outcome: str) -> float:
    """Logarithm of the odds of a name's rows over those of all other rows."""
    having, lacking = profiles[name].get(outcome, 0), sum(profiles[name].values()) - profiles[name].get(outcome, 0)
    others = [counts for other, counts in profiles.items() if other != name]
    with_it = sum(counts.get(outcome, 0) for counts in others)
    without = sum(sum(counts.values()) for counts in others) - with_it
    cells = np.array([having, lacking, with_it, without], dtype=float) + 0.5
    return float(np.log(cells[0] * cells[3] / (cells[1] * cells[2])))


def _error(rows: int, share: float) -> float:
    """What chance moves the logarithm of the odds by, were the share what it usually is: none is sure to happen."""
    return float(np.sqrt(1 / (rows * share + 0.5) + 1 / (rows * (1 - share) + 0.5)))


def _share(counts: Mapping[str, int], outcome: str) -> float:
    return counts.get(outcome, 0) / sum(counts.values())
