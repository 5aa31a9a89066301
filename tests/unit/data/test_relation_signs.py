"""A column that was turned round is found by the sign of all its relations, weak ones too; what wavers is not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import relation_signs, relations

COLUMNS = ["share", "wind", "rain", "cold"]
Relations = dict[str, tuple[float, int]]


def _window(seed: int, *, rows: int = 4_000, turned: str = "", alone: str = "", sign: float = 1.0) -> Relations:
    """Three columns that go with a share, none of them closely; `sign` is that of the cold."""
    draw = np.random.default_rng(seed)
    share = draw.beta(2, 2, rows)
    frame = {
        "share": share,
        "wind": 2 * share + draw.normal(0, 1, rows),
        "rain": -3 * share + draw.normal(0, 1, rows),
        "cold": sign * 1.5 * share + draw.normal(0, 1, rows),
    }
    if turned:
        frame[turned] = 1 - frame[turned]
    if alone:
        frame[alone] = draw.permutation(frame[alone])
    return relations.find(pl.DataFrame(frame), COLUMNS)


def _pair(seed: int, *, sign: float = 1.0, strength: float = 1.0) -> Relations:
    draw = np.random.default_rng(seed)
    loyal = draw.uniform(size=1_000)
    return relations.find(
        pl.DataFrame({"loyal": loyal, "bought": sign * strength * loyal + draw.normal(0, 0.5, 1_000)}),
        ["bought", "loyal"],
    )


def _found(past: list[Relations], now: Relations) -> list[tuple[str, int]]:
    before = {name: [window[name] for window in past if name in window] for name in now}
    return [(item.column, item.relations) for item in relation_signs.find(before, now)]


PAST = [_window(seed) for seed in range(3)]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_was_turned_round_is_named(column: str) -> None:
    ((found, count),) = _found(PAST, _window(9, turned=column))
    assert found == column
    assert count >= 2


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _window(9), id="as ever"),
        pytest.param(PAST, _window(9, alone="share"), id="values of other rows are no turned ones"),
        pytest.param(PAST, _window(9, sign=-1.0), id="one relation turned: the others did not"),
        pytest.param(PAST[:2], _window(9, turned="share"), id="too short a past"),
        pytest.param(PAST, _window(9, rows=40, turned="share"), id="too few rows for a sign"),
        pytest.param([*PAST, _window(5, turned="share")], _window(9, turned="share"), id="it has been so before"),
    ],
)
def test_what_keeps_or_never_had_its_direction_is_not(past: list[Relations], now: Relations) -> None:
    assert [name for name, _ in _found(past, now) if name == "share"] == []


def test_of_one_relation_both_columns_are_named_where_it_is_strong() -> None:
    past = [_pair(seed) for seed in range(3)]
    assert _found(past, _pair(9, sign=-1.0)) == [("bought, loyal", 1)]
    assert _found(past, _pair(9)) == []
    weak = [_pair(seed, strength=0.3) for seed in range(3)]
    assert _found(weak, _pair(9, sign=-1.0, strength=0.3)) == []
