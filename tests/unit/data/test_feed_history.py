"""A month of flights against the months before: planted faults are named, the year itself gives no alarm."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.support.flight_months import (
    APRIL,
    alarms,
    changed,
    flights,
    in_celsius,
    in_hours,
    in_kilometres,
    local_day,
    month,
    on_the_wall,
    past_of,
    planted,
    rows_of,
    second_half_of_each_day,
    sketches,
    without,
)

from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.notice import notice, sketch_window
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.store import PastWindow

FAULTS = {
    "departure delay in hours": (
        changed("departures", departure_delay_minutes=in_hours("departure_delay_minutes")),
        {("unit_change", "departures.departure_delay_minutes")},
    ),
    "wind in knots": (
        changed("weather", wind_speed=(pl.col("wind_speed") / 1.15077945).round(4)),
        {("unit_change", "weather.wind_speed")},
    ),
    "delays never below 0": (
        changed("departures", departure_delay_minutes=pl.col("departure_delay_minutes").clip(lower_bound=0)),
        {("one_value", "departures.departure_delay_minutes")},
    ),
    "missing as -999": (
        changed("weather", pressure=pl.when(pl.int_range(pl.len()) % 5 == 0).then(-999.0).otherwise("pressure")),
        {("one_value", "weather.pressure")},
    ),
    "a clock cut to the hour": (
        changed("departures", departed_at=pl.col("departed_at").dt.truncate("1h")),
        {("one_value", "departures.departed_at")},
    ),
    "kilometres for one carrier": (
        changed("schedule", distance_miles=in_kilometres(pl.col("carrier") == "UA")),
        {("fixed_attribute_changed", "schedule.distance_miles")},
    ),
    "weather of one airport missing": (
        without("weather", pl.col("origin") == "LGA"),
        {("missing_category", "weather.origin")},
    ),
    "temperature in Celsius": (
        changed("weather", temp=in_celsius("temp"), dewp=in_celsius("dewp")),
        {("unit_change", "weather.temp"), ("unit_change", "weather.dewp")},
    ),
    "miles to kilometres": (
        changed("schedule", distance_miles=in_kilometres(pl.lit(value=True))),
        {("unit_change", "schedule.distance_miles"), ("fixed_attribute_changed", "schedule.distance_miles")},
    ),
    "label in hours": (
        changed("arrivals", arrival_delay_minutes=in_hours("arrival_delay_minutes")),
        {("unit_change", "arrivals.arrival_delay_minutes")},
    ),
    "label's sign flipped": (
        changed("arrivals", arrival_delay_minutes=-pl.col("arrival_delay_minutes")),
        {("unit_change", "arrivals.arrival_delay_minutes")},
    ),
    "departed_at local": (
        changed("departures", departed_at=on_the_wall("departed_at")),
        {("clock_change", "departures.departed_at")},
    ),
    "schedule local": (
        changed(
            "schedule",
            scheduled_departure=on_the_wall("scheduled_departure"),
            scheduled_arrival=on_the_wall("scheduled_arrival"),
        ),
        {("clock_change", "schedule.scheduled_departure"), ("clock_change", "schedule.scheduled_arrival")},
    ),
    "half of each arrivals file": (
        without("arrivals", second_half_of_each_day("arrived_at")),
        {("labels_missing", "arrivals")},
    ),
    "only late arrivals missing": (
        without("arrivals", pl.col("arrival_delay_minutes") >= 60),
        {("labels_missing", "arrivals"), ("missing_not_at_random", "arrivals")},
    ),
    "one arrivals file missing": (
        without("arrivals", local_day("arrived_at") == datetime(2013, 4, 12).date()),
        {("missing_day", "arrivals")},
    ),
    "one weather file missing": (
        without("weather", local_day("observed_at") == datetime(2013, 4, 14).date()),
        {("missing_day", "weather")},
    ),
    "30 % of departures lost": (
        without("departures", pl.int_range(pl.len()) % 10 < 3),
        {("incomplete", "departures")},
    ),
    "new carrier codes": (
        changed("schedule", carrier=pl.col("carrier").str.slice(0, 1) + "0"),
        {("new_categories", "schedule.carrier")},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_and_what_was_not_touched_is_not(fault: str) -> None:
    plant, wanted = FAULTS[fault]
    found = alarms(plant)
    feeds = {subject.split(".")[0] for _, subject in wanted}
    assert wanted == {(alarm.kind, alarm.subject) for alarm in found}
    assert {alarm.subject.split(".")[0] for alarm in found} == feeds


@pytest.mark.parametrize("number", range(2, 13))
def test_a_real_month_gives_no_alarm(number: int) -> None:
    assert notice(Looked(flights(), month(number), sketches(number), past_of(number), {})) == ()


def test_each_missing_outcome_file_is_named_by_the_feeds_own_day() -> None:
    for day in range(2, 27, 4):
        missing = datetime(2013, 4, day).date()
        found = alarms(without("arrivals", local_day("arrived_at") == missing))
        assert [alarm.kind for alarm in found] == ["missing_day"]
        assert str(missing) in found[0].says


def test_outcomes_that_have_only_begun_to_land_are_not_missing() -> None:
    first_evening = datetime(2013, 4, 1, 4, tzinfo=UTC)
    assert (
        alarms(lambda name, frame: frame.filter(pl.col("arrived_at") < first_evening) if name == "arrivals" else frame)
        == []
    )


@pytest.mark.parametrize("hours", [4, 12, 28, 30, 52, 76, 124, 400])
def test_outcomes_that_are_still_landing_are_not_missing(hours: int) -> None:
    landed = APRIL[0] - timedelta(hours=4) + timedelta(hours=hours)
    assert alarms(without("arrivals", (pl.col("arrived_at") >= landed) & (pl.col("arrived_at") >= APRIL[0]))) == []


def test_the_message_says_which_clock_and_which_way_out() -> None:
    (found,) = alarms(FAULTS["departed_at local"][0])
    assert "local time (America/New_York) written as UTC, -4 h" in found.says
    assert "airloop alarms answer" in found.says


def test_an_open_alarm_keeps_its_window_out_of_the_past_and_an_accepted_one_begins_a_new_past() -> None:
    plant = FAULTS["label's sign flipped"][0]
    window, subject = month(4), "arrivals.arrival_delay_minutes"
    flipped = planted(plant)
    assert flipped == sketch_window(flights(), rows_of(window, plant), window)
    past = past_of(4)
    longer = {name: [*items, PastWindow(window, flipped[name])] for name, items in past.items()}
    may, as_before = month(5), sketches(5)
    for answer, kinds in (("", []), ("excluded", []), ("accepted", ["unit_change"])):
        found = notice(Looked(flights(), may, as_before, longer, {(window, subject): answer}))
        assert [alarm.kind for alarm in found] == kinds


def test_a_sketch_is_small_and_comes_back_from_json() -> None:
    for sketch in sketches(2).values():
        assert Sketch.from_json(sketch.to_json()) == sketch
        assert len(str(sketch.to_json())) < 60_000
