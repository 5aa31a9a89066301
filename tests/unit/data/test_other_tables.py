"""Faults of export tools and upstream systems in tables that are no flights, by the day, the week and the month.

Each is named in its windows, and the tables as they are raise no alarm.
"""

import polars as pl
import pytest
from tests.support.other_tables import orders, readings
from tests.support.watched_table import INPUTS, OUTCOMES, Change, written

from airloop.config.calendar import Calendar

ROW, TENTH = pl.int_range(pl.len()), pl.int_range(pl.len()) % 10
DAY = pl.duration(days=1)
c = pl.col


def _again(rows: pl.DataFrame) -> pl.DataFrame:
    """Every row once more, under the number of a later one."""
    later = "A" + (c("order").str.slice(1).cast(pl.Int64) + 500_000).cast(pl.String).str.zfill(7)
    return pl.concat([rows, rows.with_columns(order=later)])


def _knowing(name: str) -> Change:
    """A column of the inputs that says what becomes of the order."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        if name not in rows.columns:
            return rows
        known = orders("weekly").frame.select("order", "returned")
        told = rows.select("order").join(known, on="order", how="left", maintain_order="left")
        return rows.with_columns((100 * told["returned"]).alias(name))

    return change


WEEKLY, BOTH = ("weekly",), ("weekly", "daily")
ORDERS: dict[str, tuple[Change, set[str], str, tuple[str, ...]]] = {
    "prices with a tax": (written(price=(c("price") * 1.19).round(2)), {"unit_change"}, "price", BOTH),
    "prices in another currency": (written(price=(c("price") * 1.08).round(2)), {"unit_change"}, "price", BOTH),
    "prices in cents": (written(price=c("price") * 100), {"unit_change"}, "price", BOTH),
    "a share turned round": (written(loyal=1 - c("loyal")), {"turned"}, "loyal", WEEKLY),
    "a share in per cent": (written(loyal=c("loyal") * 100), {"unit_change"}, "loyal", BOTH),
    "two shares exchanged": (
        written(loyal=c("discount"), discount=c("loyal")),
        {"exchanged"},
        "discount, events.loyal",
        BOTH,
    ),
    "promised one day early": (written(promised_at=c("promised_at") - DAY), {"clock_change"}, "promised_at", BOTH),
    "promised at midnight": (
        written(promised_at=c("promised_at").dt.truncate("1d")),
        {"one_value"},
        "promised_at",
        BOTH,
    ),
    "promised in the year 9999": (
        written(
            promised_at=pl.when(TENTH == 0).then(pl.datetime(9999, 12, 31, time_zone="UTC")).otherwise("promised_at")
        ),
        {"far_values"},
        "promised_at",
        BOTH,
    ),
    "codes through a float": (written(zip=c("zip").cast(pl.Float64).cast(pl.String)), {"other_spelling"}, "zip", BOTH),
    "codes without their zeros": (written(zip=c("zip").str.strip_chars_start("0")), {"other_spelling"}, "zip", BOTH),
    "codes in quotes": (written(zip='"' + c("zip") + '"'), {"other_spelling"}, "zip", BOTH),
    "a blank before each code": (written(zip=" " + c("zip")), {"other_spelling"}, "zip", BOTH),
    "the word NULL for a tenth": (
        written(zip=pl.when(TENTH == 0).then(pl.lit("NULL")).otherwise("zip")),
        {"other_spelling"},
        "zip",
        BOTH,
    ),
    "incomes in thousands": (
        written(income=(c("income") / 1000).round().cast(pl.Int64)),
        {"unit_change"},
        "income",
        BOTH,
    ),
    "incomes a month": (written(income=(c("income") / 12).round().cast(pl.Int64)), {"unit_change"}, "income", BOTH),
    "0 for a missing income": (
        written(income=pl.when(TENTH == 0).then(0).otherwise("income")),
        {"one_value", "far_values"},
        "income",
        BOTH,
    ),
    "99999999 for a missing income": (
        written(income=pl.when(TENTH == 0).then(99_999_999).otherwise("income")),
        {"one_value", "far_values"},
        "income",
        BOTH,
    ),
    "a third of the incomes empty": (
        written(income=pl.when(ROW % 3 > 0).then("income")),
        {"missing_values"},
        "income",
        BOTH,
    ),
    "9999 for a missing income": (
        written(income=pl.when(TENTH == 0).then(9_999).otherwise("income")),
        {"one_value"},
        "income",
        WEEKLY,
    ),
    "0 for a missing price": (
        written(price=pl.when(TENTH == 0).then(0.0).otherwise("price")),
        {"one_value"},
        "price",
        WEEKLY,
    ),
    "prices cut off at 5.49": (written(price=c("price").clip(upper_bound=5.49)), {"one_value"}, "price", WEEKLY),
    "incomes of one shop in another currency": (
        written(
            income=pl.when(c("zip") == "10001")
            .then((c("income") * 1.609344).round().cast(pl.Int64))
            .otherwise("income")
        ),
        {"unit_change"},
        "income",
        WEEKLY,
    ),
    "promised five hours early": (
        written(promised_at=c("promised_at") - pl.duration(hours=5)),
        {"clock_change"},
        "promised_at",
        BOTH,
    ),
    "trials of the system": (
        written(zip=pl.when(ROW % 50 == 0).then(pl.lit("TEST")).otherwise("zip")),
        {"test_rows"},
        "zip",
        BOTH,
    ),
    "a line of totals a day": (
        written(zip=pl.when(ROW % 60 == 0).then(pl.lit("TOTAL")).otherwise("zip")),
        {"total_rows"},
        "zip",
        BOTH,
    ),
    "a flag turned round": (written(member=~c("member")), {"changed_places"}, "member", BOTH),
    "discounts of other orders": (
        written(discount=c("discount").shuffle(seed=3)),
        {"relation_changed"},
        "discount, events.loyal",
        WEEKLY,
    ),
    "discounts copied from the loyalty": (
        written(discount=c("loyal")),
        {"copied_column"},
        "loyal, events.discount",
        BOTH,
    ),
    # The outcomes of a day's orders come on other days: by the day it is an income of two values.
    "an income that is the outcome": (_knowing("income"), {"knows_outcome", "one_value"}, "income", BOTH),
    "an income that is the outcome, by the week": (_knowing("income"), {"knows_outcome"}, "income", WEEKLY),
}
CASES = [(fault, calendar) for fault, (_, _, _, calendars) in ORDERS.items() for calendar in calendars]


@pytest.mark.parametrize(("fault", "calendar"), CASES)
def test_a_fault_of_the_orders_is_named(fault: str, calendar: Calendar) -> None:
    change, kinds, subject, _ = ORDERS[fault]
    found = orders(calendar).alarms(change)
    assert {kind for kind, about in found if about == f"events.{subject}"} & kinds, found


@pytest.mark.parametrize("calendar", BOTH)
@pytest.mark.parametrize(
    ("change", "feed", "kind"),
    [
        pytest.param(_again, INPUTS, "copied_rows", id="every order twice"),
        pytest.param(lambda rows: rows.filter(ROW % 3 > 0), OUTCOMES, "labels_missing", id="a third of the outcomes"),
        pytest.param(lambda rows: rows.filter(ROW % 2 > 0), INPUTS, "incomplete", id="half of the orders"),
    ],
)
def test_rows_too_many_and_too_few_are_one_alarm(change: Change, feed: str, kind: str, calendar: Calendar) -> None:
    assert {name for name, _ in orders(calendar).alarms(change, [feed])} == {kind}


def test_a_shop_that_writes_no_loss_of_its_own_is_named() -> None:
    of_one = orders("weekly").frame.filter(c("zip") == "10001")["order"].implode()
    none = pl.when(c("order").is_in(of_one)).then(0).otherwise("returned")
    assert ("label_rate", "outcomes.returned") in orders("weekly").alarms(written(returned=none), [OUTCOMES])


@pytest.mark.parametrize("calendar", ["hourly", *BOTH])
def test_orders_as_they_are_raise_no_alarm(calendar: Calendar) -> None:
    assert orders(calendar).false_alarms() == []


READINGS: dict[str, tuple[Change, str, str]] = {
    "humidity as a share": (written(humid=c("humid") / 100), "unit_change", "events.humid"),
    "temperature in Kelvin": (written(temp=(c("temp") - 32) / 1.8 + 273.15), "unit_change", "events.temp"),
    "a lost decimal comma": (written(temp=(c("temp") * 100).round()), "unit_change", "events.temp"),
    "temperature and dew point exchanged": (
        written(temp=c("dewp"), dewp=c("temp")),
        "exchanged",
        "events.dewp, events.temp",
    ),
    "pressure in inches": (written(pressure=(c("pressure") * 0.02953).round(2)), "unit_change", "events.pressure"),
    "airports in lower case": (written(origin=c("origin").str.to_lowercase()), "other_spelling", "events.origin"),
    "-999 for a missing pressure": (
        written(pressure=pl.when(TENTH == 0).then(-999.0).otherwise("pressure")),
        "one_value",
        "events.pressure",
    ),
    "dew point copied from the temperature": (
        written(dewp=c("temp")),
        "copied_column",
        "events.temp, events.dewp",
    ),
    "whole degrees": (written(temp=c("temp").round()), "rounded", "events.temp"),
}


@pytest.mark.parametrize("calendar", ["weekly", "monthly"])
@pytest.mark.parametrize("fault", READINGS)
def test_a_fault_of_the_readings_is_named(fault: str, calendar: Calendar) -> None:
    change, kind, subject = READINGS[fault]
    assert (kind, subject) in readings(calendar).alarms(change)


@pytest.mark.parametrize("calendar", ["weekly", "monthly"])
def test_readings_as_they_are_raise_no_alarm(calendar: Calendar) -> None:
    assert readings(calendar).false_alarms() == []


@pytest.mark.parametrize(
    ("change", "kind", "subject"),
    [
        pytest.param(written(humid=100 - c("humid")), "turned", "events.humid", id="humidity turned round"),
        pytest.param(written(temp=(c("temp") - 32) / 1.8), "unit_change", "events.temp", id="temperature in Celsius"),
    ],
)
def test_what_a_week_of_weather_hides_is_named_by_the_month(change: Change, kind: str, subject: str) -> None:
    assert (kind, subject) in readings("monthly").alarms(change)
