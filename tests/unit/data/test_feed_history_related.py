"""Values of other rows, of other columns, in another form, or of what never happened: named, each as one alarm."""

from datetime import datetime

import polars as pl
import pytest
from tests.support.flight_months import (
    APRIL,
    NEW_YORK,
    Plant,
    alarms,
    among,
    changed,
    flights,
    in_celsius,
    local_day,
    month,
    past_of,
    planted,
    several,
    sketches,
    without,
)

from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.notice import notice
from airloop.data.feed_history.store import PastWindow
from nycflights import source

DELAY, LATE = "arrival_delay_minutes", "departure_delay_minutes"
NEVER_LATE = pl.when(pl.col(DELAY) > 14).then(pl.col(DELAY) % 15).otherwise(DELAY)
ONE_ROW = pl.int_range(pl.len())


def _empty(feed: str, column: str, share: float) -> Plant:
    kept = ONE_ROW.hash(7) % 1000 >= share * 1000
    return among(feed, lambda rows: rows.with_columns(pl.when(kept).then(column).alias(column)))


def _shifted(feed: str, column: str) -> Plant:
    return among(feed, lambda rows: rows.with_columns(pl.col(column).shift(1).fill_null(0)))


def _mixed(share: float) -> Plant:
    mixed = pl.when(ONE_ROW.hash(3) % 100 < share * 100).then(pl.col(DELAY).shuffle(seed=7)).otherwise(DELAY)
    return among("arrivals", lambda rows: rows.with_columns(mixed.alias(DELAY)))


def _written(feed: str, column: str, value: pl.Expr) -> Plant:
    return among(feed, lambda rows: rows.with_columns(value.alias(column)))


def _cancelled_on_time(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    if name != "arrivals":
        return frame
    scheduled = source.load()["schedule"].filter(pl.col("scheduled_arrival").is_between(*APRIL))
    absent = scheduled.join(frame, on="flight_id", how="anti")
    none = pl.lit(None, pl.Int64)
    more = absent.select("flight_id", arrived_at="scheduled_arrival", **{DELAY: pl.lit(0)}, air_time_minutes=none)
    return pl.concat([frame, more.with_columns(pl.col(DELAY).cast(pl.Int64))])


FAULTS: dict[str, tuple[Plant, set[tuple[str, str]]]] = {
    "labels of other rows": (_mixed(1.0), {("relation_changed", f"arrivals.{DELAY}")}),
    "a fifth of the labels of other rows": (_mixed(0.2), {("relation_changed", f"arrivals.{DELAY}")}),
    "delays shifted by a row": (
        several(_shifted("arrivals", DELAY), _shifted("departures", LATE)),
        {("relation_changed", f"arrivals.{DELAY}"), ("relation_changed", f"departures.{LATE}")},
    ),
    "no rows of the noon": (
        without("weather", pl.col("observed_at").dt.convert_time_zone(NEW_YORK).dt.hour().is_between(12, 14)),
        {("incomplete", "weather")},
    ),
    "humidity and visibility exchanged": (
        changed("weather", humid=pl.col("visib"), visib=pl.col("humid")),
        {("exchanged", "weather.humid, weather.visib")},
    ),
    "temperature and dew point exchanged": (
        changed("weather", temp=pl.col("dewp"), dewp=pl.col("temp")),
        {("exchanged", "weather.dewp, weather.temp")},
    ),
    "only the temperature in Celsius, so that it lies below the dew point": (
        changed("weather", temp=in_celsius("temp")),
        {("unit_change", "weather.temp")},
    ),
    "humidity turned round": (changed("weather", humid=100 - pl.col("humid")), {("turned", "weather.humid")}),
    "airports exchanged": (
        among("schedule", lambda rows: rows.with_columns(origin="dest", dest="origin")),
        {("exchanged", "schedule.dest, schedule.origin")},
    ),
    "tail numbers without N": (
        _written("schedule", "tailnum", pl.col("tailnum").str.strip_prefix("N")),
        {("text_shape", "schedule.tailnum")},
    ),
    "a tenth of the tail numbers with a hyphen": (
        _written(
            "schedule",
            "tailnum",
            pl.when(ONE_ROW % 10 == 0).then(pl.col("tailnum").str.replace("N", "N-")).otherwise("tailnum"),
        ),
        {("text_shape", "schedule.tailnum")},
    ),
    "keys in lower case": (
        _written("arrivals", "flight_id", pl.col("flight_id").str.to_lowercase()),
        {("text_shape", "arrivals.flight_id")},
    ),
    "keys of a flight that does not exist": (
        _written("arrivals", "flight_id", pl.col("flight_id").str.replace("-EWR-", "-XXX-")),
        {("unknown_keys", "arrivals")},
    ),
    "30 % of temperatures empty": (_empty("weather", "temp", 0.3), {("missing_values", "weather.temp")}),
    "30 % of pressures empty": (_empty("weather", "pressure", 0.3), {("missing_values", "weather.pressure")}),
    "15 % of tail numbers empty": (_empty("schedule", "tailnum", 0.15), {("missing_values", "schedule.tailnum")}),
    "cancelled flights on time": (_cancelled_on_time, {("unknown_keys", "arrivals")}),
    "no delay of a quarter of an hour": (
        _written("arrivals", DELAY, NEVER_LATE),
        {("label_rate", f"arrivals.{DELAY}")},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_rows_or_forms_is_one_alarm_with_its_name(fault: str) -> None:
    plant, wanted = FAULTS[fault]
    assert {(alarm.kind, alarm.subject) for alarm in alarms(plant)} == wanted


def test_the_exchange_says_both_columns_and_what_they_look_like_now() -> None:
    (found,) = alarms(FAULTS["humidity and visibility exchanged"][0])
    assert "weather.humid and weather.visib look exchanged: now like" in found.says
    assert "airloop alarms answer" in found.says


def test_a_day_that_ingestion_called_missing_is_not_said_twice() -> None:
    window = month(4)
    missing = without("arrivals", local_day("arrived_at") == datetime(2013, 4, 12).date())
    sketched = planted(missing)
    looked = Looked(flights(), window, sketched, past_of(4), {}, missing_days=frozenset({"arrivals 2013-04-12"}))
    assert notice(looked) == ()
    assert [alarm.kind for alarm in notice(Looked(flights(), window, sketched, past_of(4), {}))] == ["missing_day"]


def test_a_predicted_amount_has_no_rate() -> None:
    window, task = month(4), flights().prediction.model_copy(update={"task": "regression"})
    pipeline = flights().model_copy(update={"prediction": task})
    sketched = planted(FAULTS["no delay of a quarter of an hour"][0])
    looked = Looked(pipeline, window, sketched, past_of(4), {})
    assert "label_rate" not in {alarm.kind for alarm in notice(looked)}


def test_an_exchange_that_is_open_keeps_both_columns_out_of_the_past() -> None:
    window = month(4)
    exchanged = planted(FAULTS["humidity and visibility exchanged"][0])
    longer = {name: [*items, PastWindow(window, exchanged[name])] for name, items in past_of(4).items()}
    may = sketches(5)
    answers = {(window, "weather.humid"): "", (window, "weather.visib"): ""}
    assert notice(Looked(flights(), month(5), may, longer, answers)) == ()
