"""Two names that have changed places; other seasons, new names and names that are chance have not."""

import numpy as np
import polars as pl
import pytest

from airloop.data.feed_history.value_profiles import changed_places, find

ROUTES = {"UA": ["ORD", "SFO", "DEN"], "DL": ["ATL", "DTW", "MSP"], "B6": ["BOS", "MCO", "FLL"]}
COLUMNS = ["carrier", "dest", "gate"]


def _rows(seed: int, *, busier: float = 1.0, rows: int = 1500) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    weights = np.array([busier, 1.0, 1.0])
    carrier = draw.choice(list(ROUTES), rows, p=weights / weights.sum())
    dest = [ROUTES[name][draw.choice(3, p=[0.5, 0.3, 0.2])] for name in carrier]
    return pl.DataFrame({"carrier": carrier, "dest": dest, "gate": draw.choice(["1", "2", "3"], rows)})


def _with(names: dict[str, str], seed: int = 9) -> pl.DataFrame:
    return _rows(seed).with_columns(pl.col("carrier").replace(names))


PAST = [find(_rows(seed), COLUMNS) for seed in range(3)]


def test_two_names_that_were_exchanged_are_found() -> None:
    now = find(_with({"UA": "DL", "DL": "UA"}), COLUMNS)
    assert changed_places(PAST, now, "carrier") == ("DL", "UA")
    assert changed_places(PAST[:1], now, "carrier") is None


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(_rows(9), id="as before"),
        pytest.param(_rows(9, busier=4.0), id="one is busier"),
        pytest.param(_with({"UA": "XX"}), id="a new name"),
        pytest.param(_with({"UA": "DL"}), id="two become one"),
    ],
)
def test_names_that_stand_for_what_they_did_have_not(now: pl.DataFrame) -> None:
    profiles = find(now, COLUMNS)
    assert changed_places(PAST, profiles, "carrier") is None
    assert changed_places(PAST, profiles, "gate") is None
