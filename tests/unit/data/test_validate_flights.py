"""The rules of flight_delays on the real year: what they find in it, and that they find nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.support.run_plainly import run_plainly

from airloop.config import load_pipeline
from airloop.data.ingest import to_arrow
from airloop.data.validate_raw import validate_raw
from airloop.deployment import Deployment
from airloop.records import Ingested, Validated, Window
from airloop.settings import Settings, load_settings
from airloop.stores import lake
from nycflights import NycFlights

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[3]


def month(number: int) -> Window:
    return Window(datetime(2013, number, 1, tzinfo=UTC), datetime(2013, number + 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(project_dir=PROJECT, home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def validated(settings: Settings) -> Callable[[int], Validated]:
    pipeline = load_pipeline("flight_delays", settings)

    def run(number: int) -> Validated:
        window = month(number)
        for name, feed in pipeline.feeds.items():
            rows = NycFlights().frame(name)
            uri = lake.table_uri(settings, pipeline.name, "raw", name)
            if feed.event_time is None:
                lake.replace_table(uri, to_arrow(rows), settings, sort_by=feed.key)
                continue
            inside = rows.filter(pl.col(feed.event_time).is_between(window.start, window.end, closed="left"))
            table = to_arrow(inside.unique(subset=feed.key, keep="last"))
            lake.replace_window(uri, table, settings, time_column=feed.event_time, window=window, sort_by=feed.key)
        return run_plainly(validate_raw, Deployment(pipeline, settings), window, ingested=Ingested(window, (), (), ()))

    return run


def quarantined(settings: Settings, feed: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = lake.read(
        lake.table_uri(settings, "flight_delays", "quarantine", feed), settings
    ).to_pylist()
    return rows


def test_july_has_one_flight_of_seventeen_miles_and_nothing_else(settings, validated) -> None:
    found = validated(7)
    assert found.bad_rows == 1
    assert [check.warnings for check in found.checks if check.warnings] == []
    assert [(row["flight_id"], row["distance_miles"]) for row in quarantined(settings, "schedule")] == [
        ("20130727T0506Z-US1632-EWR-LGA", 17)
    ]


def test_february_has_one_storm_of_a_thousand_miles_an_hour_and_snow_that_cancelled_flights(
    settings, validated
) -> None:
    found = validated(2)
    assert found.bad_rows == 1
    assert {check.table: check.warnings for check in found.checks if check.warnings} == {
        "departures": ("expect_table_row_count_to_be_between",)
    }
    assert [round(row["wind_speed"]) for row in quarantined(settings, "weather")] == [1048]
