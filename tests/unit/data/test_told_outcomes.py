"""An input that knows the outcome is found, whatever it is; one that always told it, or tells a little, is not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history import told_outcomes
from airloop.data.feed_history.told_outcomes import Measured

ROWS = 600
INPUTS = {"numbers": ["amount"], "texts": ["status"]}


def _window(seed: int, *, amount: str = "", status: str = "", few: bool = True, cases: int = 0) -> Measured:
    draw = np.random.default_rng(seed)
    size = draw.normal(size=ROWS)
    returned = size + draw.normal(0, 2, ROWS)
    if few:
        returned = (np.arange(ROWS) < cases if cases else returned > 1).astype(int)
    known = {"": size, "is it": returned, "of it": 3.0 * returned + draw.normal(0, 0.1, ROWS)}[amount]
    named = np.where(returned > 0, "sent back", "kept") if status else draw.choice(["open", "paid"], ROWS)
    frame = pl.DataFrame({"amount": known, "status": named, "returned": returned})
    return told_outcomes.find(frame, INPUTS, ["returned"])


PAST = [_window(seed) for seed in range(4)]


def _names(past: list[Measured], window: Measured) -> set[str]:
    return {name for name, *_ in told_outcomes.tells(past, window)}


@pytest.mark.parametrize("amount", ["is it", "of it"])
@pytest.mark.parametrize("few", [True, False])
def test_a_number_that_knows_the_outcome_is_found(amount: str, few: bool) -> None:
    past = [_window(seed, few=few) for seed in range(4)]
    assert _names(past, _window(9, amount=amount, few=few)) == {"amount"}


def test_a_name_that_knows_the_outcome_is_found() -> None:
    assert _names(PAST, _window(9, status="of it")) == {"status"}


@pytest.mark.parametrize(
    ("past", "window"),
    [
        pytest.param(PAST, _window(9), id="as ever"),
        pytest.param(PAST[:2], _window(9, amount="is it"), id="two windows before"),
        pytest.param(
            [_window(s, amount="of it") for s in range(4)], _window(9, amount="of it"), id="it always told it"
        ),
        pytest.param(PAST, _window(9, amount="is it", cases=20), id="a handful of cases"),
    ],
)
def test_what_tells_as_ever_is_not(past: list[Measured], window: Measured) -> None:
    assert _names(past, window) == set()
