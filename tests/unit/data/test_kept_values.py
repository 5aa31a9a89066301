"""Ends and what goes with calm: found where they have moved, not where they never stood still."""

import numpy as np
import polars as pl
import pytest
from tests.support.flight_months import Plant, alarms, changed

from airloop.data.feed_history import kept_values
from airloop.data.feed_history.far_values import ends_of

Ends = tuple[float, ...]


def _wet(seed: int, level: float = 70.0, top: float = 100.0) -> np.ndarray:
    return np.minimum(np.random.default_rng(seed).normal(level, 18, 3000).round(), top)


def _ends(values: np.ndarray) -> Ends:
    found = ends_of(values)
    assert found is not None
    return found


PAST = [_ends(_wet(seed, level)) for seed, level in enumerate((72, 66, 75))]


def test_a_limit_that_has_moved_with_its_rows_is_found() -> None:
    moved = kept_values.moved_end(PAST, _ends(_wet(9) + 1))
    assert moved is not None
    assert (moved.side, moved.before, moved.now) == ("highest", 100.0, 101.0)


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(PAST, _wet(9), id="as ever"),
        pytest.param(PAST, _wet(9, 30.0), id="a dry month"),
        pytest.param(PAST, np.append(_wet(9), np.full(60, 9999.0)), id="a code for missing"),
        pytest.param(PAST, _wet(9) * 1.6, id="another unit"),
        pytest.param(PAST[:1], _wet(9) + 1, id="one window before"),
        pytest.param([_ends(_wet(n, top=96.0 + n)) for n in range(3)], _wet(9) + 1, id="no limit before"),
    ],
)
def test_a_season_a_code_or_a_unit_moves_no_limit(past: list[Ends], now: np.ndarray) -> None:
    assert kept_values.moved_end(past, _ends(now)) is None


def _weights(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(0.5, 0.6, 3000).round(3)


WEIGHTS = [_ends(_weights(seed)) for seed in range(3)]


@pytest.mark.parametrize(
    ("now", "side"),
    [
        pytest.param(np.minimum(_weights(9), 3.0), "highest", id="capped"),
        pytest.param(np.maximum(_weights(9), 0.9), "lowest", id="not below a limit"),
        pytest.param(np.where(np.arange(3000) % 10, _weights(9), 0.0), "lowest", id="0 for missing"),
    ],
)
def test_a_limit_that_no_window_had_is_found(now: np.ndarray, side: str) -> None:
    limit = kept_values.new_limit(WEIGHTS, _ends(now))
    assert limit is not None
    assert limit.side == side


@pytest.mark.parametrize(
    ("past", "now"),
    [
        pytest.param(WEIGHTS, _weights(9), id="as ever"),
        pytest.param(WEIGHTS[:2], np.minimum(_weights(9), 3.0), id="too short a past"),
        pytest.param(PAST, np.minimum(_wet(9), 90.0), id="it ran against a limit before"),
        pytest.param([_ends(_wet(n, 30.0)) for n in range(3)], _wet(9, 75.0), id="the first wet month"),
        pytest.param(WEIGHTS, np.where(np.arange(3000) % 300, _weights(9), 0.0), id="a few zeros"),
    ],
)
def test_a_season_or_a_few_zeros_make_no_limit(past: list[Ends], now: np.ndarray) -> None:
    assert kept_values.new_limit(past, _ends(now)) is None


def _wind(seed: int, turned: int = 0, calm: float = 0.06) -> dict[str, kept_values.Held]:
    draw = np.random.default_rng(seed)
    still = draw.uniform(size=2000) < calm
    speed = np.where(still, 0.0, draw.gamma(4, 2, 2000).round(1) + 0.1)
    heading = (np.where(still, 0, draw.integers(1, 37, 2000) * 10) + turned) % 360
    return kept_values.held(pl.DataFrame({"speed": speed, "heading": heading.astype(float)}), ["speed", "heading"])


WINDS = [_wind(seed) for seed in range(3)]


def test_what_always_went_with_calm_and_does_no_longer_is_found() -> None:
    ((column, other, before, now),) = kept_values.broken(WINDS, _wind(9, turned=180))
    assert (column, other, before[0], now[0]) == ("heading", "speed", 0.0, 180.0)


@pytest.mark.parametrize(
    ("past", "now"),
    [(WINDS, _wind(9)), (WINDS[:1], _wind(9, turned=180)), (WINDS, _wind(9, turned=180, calm=0.001))],
    ids=["as ever", "one window before", "hardly a calm hour"],
)
def test_calm_as_ever_or_none_is_not(past: list[dict[str, kept_values.Held]], now: dict[str, kept_values.Held]) -> None:
    assert list(kept_values.broken(past, now)) == []


FASTER = pl.col("wind_speed") + 1
TURNED = ((pl.col("wind_dir") + 180) % 360).cast(pl.Int64)


@pytest.mark.parametrize(
    ("plant", "kind", "subject"),
    [
        pytest.param(changed("weather", visib=pl.col("visib") + 1), "offset", "weather.visib", id="visibility"),
        pytest.param(
            changed("weather", wind_speed=pl.col("wind_speed") + 1), "offset", "weather.wind_speed", id="wind"
        ),
        pytest.param(changed("weather", wind_dir=TURNED), "offset", "weather.wind_dir", id="wind turned"),
        pytest.param(
            changed("schedule", effective_at=pl.col("effective_at").dt.offset_by("5m")),
            "clock_change",
            "schedule.effective_at",
            id="timetable",
        ),
    ],
)
def test_a_month_with_something_added_is_named_by_one_alarm(plant: Plant, kind: str, subject: str) -> None:
    assert [(alarm.kind, alarm.subject) for alarm in alarms(plant)] == [(kind, subject)]


def _list(seed: int, *steps: float) -> Ends:
    return _ends(np.random.default_rng(seed).choice(np.array(steps), 800))


def test_a_price_that_is_gone_or_rose_is_no_offset() -> None:
    past = [_list(seed, 1.69, 1.99, 2.09, 2.18, 2.29) for seed in range(3)]
    assert kept_values.moved_end(past, _list(9, 1.69, 1.99, 2.09, 2.18)) is None
    assert kept_values.moved_end(past, _list(9, 1.79, 1.99, 2.09, 2.18, 2.29)) is None
    assert kept_values.moved_end(past, _list(9, 1.79, 2.09, 2.19, 2.28, 2.39)) is None
    moved = kept_values.moved_end(past, _list(9, 2.69, 2.99, 3.09, 3.18, 3.29))
    assert moved is not None
    assert moved.now - moved.before == pytest.approx(1.0)


def test_what_goes_with_none_of_another_thing_is_held_and_what_goes_with_a_lowest_price_is_not() -> None:
    def held(seed: int, lowest: float, listed: float) -> dict[str, kept_values.Held]:
        draw = np.random.default_rng(seed)
        cheap = draw.uniform(size=800) < 0.1
        sale = np.where(cheap, lowest, draw.choice([1.79, 1.99, 2.09], 800))
        price = np.where(cheap, listed, draw.choice([1.99, 2.09, 2.29], 800))
        return kept_values.held(pl.DataFrame({"sale": sale, "price": price}), ["sale", "price"])

    (broken,) = kept_values.broken([held(seed, 0.0, 2.18) for seed in range(3)], held(9, 0.0, 2.33))
    assert broken[:2] == ("price", "sale")
    assert list(kept_values.broken([held(seed, 1.49, 2.18) for seed in range(3)], held(9, 1.49, 2.33))) == []
