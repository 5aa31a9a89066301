"""Of several alarms about one cause one stays: never none."""

import pytest

from airloop.config import load_pipeline
from airloop.data.feed_history import one_cause
from airloop.records import Alarm
from airloop.settings import Settings


def _named(*alarms: Alarm) -> list[str]:
    found = one_cause.named(load_pipeline("flight_delays", Settings()), alarms)
    return [f"{alarm.kind} {alarm.subject}" for alarm in found]


def test_many_unknown_keys_of_a_feed_explain_its_missing_rows_and_stay() -> None:
    incomplete = Alarm("incomplete", "departures", "", 0.88, 0.99)
    assert _named(incomplete, Alarm("unknown_keys", "departures", "", 0.11, 0.0)) == ["unknown_keys departures"]
    assert _named(incomplete) == ["incomplete departures"]


def test_rows_that_are_missing_in_one_feed_explain_unknown_keys_in_another() -> None:
    missing = Alarm("incomplete", "schedule", "", 0.7, 1.0)
    assert _named(missing, Alarm("unknown_keys", "departures", "", 0.3, 0.0)) == ["incomplete schedule"]


def test_another_spelling_explains_the_value_that_is_gone_and_most_of_the_new_ones() -> None:
    spelled = Alarm("other_spelling", "schedule.carrier", "", 0.3, 0.0)
    assert _named(Alarm("missing_category", "schedule.carrier", "", 0.0, 0.3), spelled) == [
        "other_spelling schedule.carrier"
    ]
    assert _named(Alarm("new_categories", "schedule.carrier", "", 0.31, 0.0), spelled) == [
        "other_spelling schedule.carrier"
    ]


def test_new_categories_of_which_few_are_spellings_are_new_categories() -> None:
    spelled = Alarm("other_spelling", "schedule.carrier", "", 0.02, 0.0)
    assert _named(Alarm("new_categories", "schedule.carrier", "", 0.9, 0.0), spelled) == [
        "new_categories schedule.carrier"
    ]
    assert _named(spelled) == ["other_spelling schedule.carrier"]


def test_copies_under_new_keys_explain_as_many_rows_without_an_outcome() -> None:
    copied = Alarm("copied_rows", "schedule", "", 1.0, 0.0)
    assert _named(Alarm("labels_missing", "arrivals", "", 0.49, 0.97), copied) == ["copied_rows schedule"]
    assert _named(Alarm("incomplete", "departures", "", 0.5, 0.98), copied) == ["copied_rows schedule"]


def test_more_missing_outcomes_than_there_are_copies_are_said_as_well() -> None:
    copied = Alarm("copied_rows", "schedule", "", 0.2, 0.0)
    assert _named(Alarm("labels_missing", "arrivals", "", 0.49, 0.97), copied) == [
        "labels_missing arrivals",
        "copied_rows schedule",
    ]
    assert _named(Alarm("labels_missing", "arrivals", "", 0.88, 0.97), copied) == ["copied_rows schedule"]


@pytest.mark.parametrize(
    ("cause", "follows"),
    [
        (("copied_column", "schedule.a, schedule.b"), ("unit_change", "schedule.b")),
        (("copied_column", "schedule.a, schedule.b"), ("exchanged", "schedule.b, schedule.c")),
        (("knows_outcome", "schedule.a"), ("one_value", "schedule.a")),
        (("exchanged", "schedule.a, schedule.b"), ("knows_outcome", "schedule.a")),
        (("knows_outcome", "schedule.a"), ("copied_column", "schedule.a, schedule.b")),
        (("total_rows", "schedule.shop"), ("far_values", "schedule.price")),
        (("test_rows", "schedule.shop"), ("relation_changed", "schedule.a, schedule.b")),
        (("repeated_days", "schedule"), ("clock_change", "schedule.promised_at")),
    ],
)
def test_whose_rows_and_values_they_are_explains_what_they_are_like(
    cause: tuple[str, str], follows: tuple[str, str]
) -> None:
    assert _named(Alarm(*follows, ""), Alarm(*cause, "")) == [" ".join(cause)]


def test_totals_of_one_feed_explain_nothing_of_another() -> None:
    apart = [Alarm("total_rows", "schedule.shop", ""), Alarm("far_values", "weather.temp", "")]
    assert len(_named(*apart)) == 2
