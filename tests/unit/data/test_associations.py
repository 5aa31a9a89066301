"""Text columns of which one fixes the other: shuffled they do not; names that are chance do not look associated."""

import numpy as np
import polars as pl

from airloop.data.feed_history import associations, relations

PLANES = [f"N{number}" for number in range(300)]


def _rows(seed: int, *, shuffled: float = 0.0, rows: int = 3000) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    plane = draw.integers(0, len(PLANES), rows)
    carrier = np.array(["UA", "DL", "AA", "B6"])[plane % 4]
    mixed = draw.uniform(size=rows) < shuffled
    carrier[mixed] = draw.permutation(carrier[mixed])
    weather = draw.choice(["dry", "wet"], rows)
    return pl.DataFrame({"plane": [PLANES[number] for number in plane], "carrier": carrier, "weather": weather})


def _found(seed: int, **how: float) -> dict[str, tuple[float, int]]:
    return associations.find(_rows(seed, **how), ["plane", "carrier", "weather"])


def test_a_plane_has_one_carrier_and_chance_is_no_association() -> None:
    found = _found(1)
    assert found["plane ~ carrier"] == (1.0, 3000)
    assert found["plane ~ weather"][0] < 0.05
    assert found["carrier ~ plane"][0] < 0.05


def test_shuffled_names_are_found_and_others_are_not() -> None:
    past = [_found(seed) for seed in range(3)]
    broken = list(relations.broken(past, _found(9, shuffled=0.6), measure="association"))
    assert [item.name for item in broken] == ["plane ~ carrier"]
    assert "their association is" in broken[0].how
    assert list(relations.broken(past, _found(9), measure="association")) == []


def test_a_key_and_a_constant_are_associated_with_nothing() -> None:
    rows = _rows(1).with_columns(key=pl.int_range(pl.len()).cast(pl.String), one=pl.lit("x"))
    assert associations.find(rows, ["key", "one"]) == {}
