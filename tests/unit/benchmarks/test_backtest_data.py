"""The backtests' data sets: no row knows its own future, no pipeline has a setting of its own, results are shown."""

import json
import math
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import polars as pl
import pytest
from benchmarks.backtests import __main__ as backtests
from benchmarks.backtests import flight_tables, hindsight, kinds, page, place, probation, quality, tables

from airloop.authoring import pipeline_check
from airloop.config import load_pipeline
from airloop.settings import Settings, load_settings
from nycflights import source


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Packages with a few days of each table; values name their day."""
    root = tmp_path_factory.mktemp("packages")
    (root / "ISLP" / "data").mkdir(parents=True)
    (root / "vega_datasets" / "_data").mkdir(parents=True)
    hours = [(day, hour) for day in range(1, 11) for hour in range(24) if (day, hour) != (3, 5)]
    bikes = {"day": [day for day, _ in hours], "hr": [str(hour) for _, hour in hours]}
    bikes |= {name: [0] * len(hours) for name in ("weekday", "holiday", "workingday", "temp", "atemp", "hum")}
    bikes |= {"weathersit": ["clear"] * len(hours), "windspeed": [0.0] * len(hours)}
    pl.DataFrame(bikes | {"bikers": [100 * day + hour for day, hour in hours]}).write_csv(
        root / "ISLP/data/Bikeshare.csv"
    )
    days = [f"198{3 if day > 5 else 2}-01-{day:02}" for day in range(1, 25)]
    nyse = {"date": days, "day_of_week": ["mon"] * 24, "DJ_return": [0.0] * 24, "log_volatility": [0.0] * 24}
    pl.DataFrame(nyse | {"log_volume": list(range(1, 25))}).write_csv(root / "ISLP/data/NYSE.csv")
    rain = {
        "date": [f"2012/01/{day:02}" for day in range(1, 31)],
        "precipitation": [float(day % 2) for day in range(1, 31)],
    }
    rain |= {name: list(range(1, 31)) for name in ("temp_max", "temp_min", "wind")}
    pl.DataFrame(rain).write_csv(root / "vega_datasets/_data/seattle-weather.csv")
    return root


def test_a_bike_hour_knows_the_same_hour_of_a_day_and_a_week_before(packages):
    rows = {row["bike_hour"]: row for row in tables.bike_hours(packages).to_dicts()}
    ninth = rows["d2011-01-09T07"]
    assert (ninth["bikers_a_day_before"], ninth["bikers_a_week_before"], ninth["bikers"]) == (807, 207, 907)
    assert rows["d2011-01-04T05"]["bikers_a_day_before"] is None  # that hour is missing


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_a_trading_day_knows_what_was_known_so_many_days_before(packages, ahead):
    rows = tables.nyse_volume(packages).filter(pl.col("days_ahead") == ahead)
    known = rows.filter(pl.col("log_volume_last").is_not_null())
    assert known.height >= 17
    assert (known["log_volume"] - known["log_volume_last"]).unique().to_list() == [ahead]
    assert (known["log_volume_last"] - known["log_volume_last_2"]).drop_nulls().unique().to_list() == [2]


def test_a_day_of_rain_knows_no_rain_of_its_own_or_later(packages):
    rows = tables.seattle_rain(packages).filter(pl.col("days_ahead") == 1).drop_nulls()
    assert (rows["wind_last"] + 1 == rows["date"].dt.day()).all()
    assert (rows["precipitation_last"] != rows["rains"]).all()  # it rains every second day
    assert rows["rains"].is_in([0, 1]).all()


def test_a_film_is_one_whose_day_and_reviews_are_known_and_says_nothing_of_them(tmp_path):
    path = tmp_path / "bokeh_sampledata" / "_data" / "movies.db"
    path.parent.mkdir(parents=True)
    texts = "Title TEXT, Runtime REAL, Genre TEXT, Director TEXT, Writer TEXT, Cast TEXT, Language TEXT, Country TEXT"
    films = [
        (1, "2001-05-04", 80),
        (2, "2001-01-01", 80),
        (3, "1999-05-04", 80),
        (4, "2000-03-02", 59),
        (5, "2005-02-02", None),
    ]
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE omdb (ID INTEGER, Released TEXT, {texts})")
        database.execute("CREATE TABLE tomatoes (ID INTEGER, Meter INTEGER)")
        for film, released, meter in films:
            database.execute("INSERT INTO omdb (ID, Released, Title, Genre) VALUES (?, ?, 'It', '')", (film, released))
            database.execute("INSERT INTO tomatoes VALUES (?, ?)", (film, meter))
        database.commit()
    rows = tables.film_reviews(tmp_path)
    assert rows["film"].to_list() == ["film4", "film1"]
    assert rows["good"].to_list() == [0, 1]
    assert rows["genres"].null_count() == 2
    assert rows["released"].to_list() == [datetime(2000, 3, 2, tzinfo=UTC), datetime(2001, 5, 4, tzinfo=UTC)]


def test_every_table_has_its_pipeline_and_none_has_a_setting_of_its_own(tmp_path):
    settings = load_settings(project_dir=place.project(tmp_path, Settings().project_dir), home=tmp_path / "home")
    assert {folder.name for folder in place.OWN.iterdir()} == set(tables.TABLES) == set(tables.LABELS)
    loaded = [load_pipeline(name, settings) for name in tables.TABLES]
    for pipeline in loaded:
        pipeline_check.check_pipeline(pipeline.name, settings)
    same = [
        (
            pipeline.training.holdout_days,
            pipeline.training.embargo_days,
            pipeline.training.budget,
            pipeline.training.refit,
            pipeline.gate.compare.model_copy(update={"metric": "mae"}),
            pipeline.gate.probation,
            pipeline.monitoring.triggers,
            pipeline.monitoring.policy.model_copy(update={"metric": "mae", "min_rows": 1}),
            pipeline.training.seed,
        )
        for pipeline in loaded
    ]
    assert all(one == same[0] for one in same)
    searched = [pipeline.training.candidates.get("gradient_boosting") for pipeline in loaded]
    assert all(one.search == searched[0].search for one in searched if one)
    assert [pipeline.name for pipeline, one in zip(loaded, searched, strict=True) if not one] == ["airport_disruptions"]


def test_a_flight_knows_the_hour_before_and_few_have_a_label():
    hours = flight_tables.airport_disruptions(None)
    feeds = source.load()
    row = hours.filter(pl.col("airport_hour") == "JFK@2013-02-08T18Z").to_dicts()[0]
    hour = datetime(2013, 2, 8, 17, tzinfo=UTC)
    flights = feeds["departures"].join(feeds["schedule"].select("flight_id", "origin"), on="flight_id")
    left = flights.filter((pl.col("origin") == "JFK") & (pl.col("departed_at").dt.truncate("1h") == hour))
    assert row["departed_before"] == left.height > 0
    assert row["departure_delay_before"] == pytest.approx(left["departure_delay_minutes"].mean())
    observed = feeds["weather"].filter((pl.col("origin") == "JFK") & (pl.col("observed_at").dt.truncate("1h") == hour))
    assert row["visib_before"] == observed["visib"].to_list()[0]
    assert row["disrupted"] == 1  # the snow storm of that day
    assert hours["departed_before"].null_count() == 0
    assert hours.filter(pl.col("airport_hour") == "JFK@2013-02-09T01Z")["departed_before"].to_list() == [0]
    assert 0.01 < hours["disrupted"].mean() < 0.03
    few, all_of_them = flight_tables.flight_few_labels(None), flight_tables.flight_minutes(None)
    assert few["flight_id"].to_list() == all_of_them["flight_id"].to_list()
    assert few["late"].count() == -(-all_of_them.height // 10)


def outcome(policy, value, gain):
    evidence = None if gain is None else {"gain": gain, "lower": gain - 1, "upper": gain + 1}
    windows = [{"window": {}, "metrics": {"mae": value}}]
    shown = {"policy": policy, "pooled": {"mae": [value, value - 1, value + 1]}, "gain": evidence, "windows": windows}
    return shown | {"trainings": [1, 2], "promotions": 1, "rollbacks": 1, "seconds": 3.4}


def test_what_was_measured_is_put_between_the_marks_of_the_page_and_nowhere_else(tmp_path):
    home, docs = tmp_path / "home", tmp_path / "docs"
    (home / "backtests").mkdir(parents=True)
    (docs / "images").mkdir(parents=True)
    (docs / "backtests.md").write_text("before\n<!-- measured -->\nold\n<!-- /measured -->\nafter\n")
    result = {"metric": "mae", "windows": [{"start": "2011-03-01T00:00:00"}]}
    result["outcomes"] = [outcome("never", 9.0, None), outcome("always", 5.0, 4.0), outcome("declared", 6.0, 3.0)]
    for on in ("none", "all_mature"):
        (home / "backtests" / f"bike_hours-{on}.json").write_text(json.dumps(result))
    found = page.results(home, place.names())
    assert page.share_of_ungated(result) == 0.75
    page.write(found, docs)
    page.write(found, docs)
    text = (docs / "backtests.md").read_text()
    assert text.startswith("before\n<!-- measured -->\n| data set |")
    assert text.endswith("<!-- /measured -->\nafter\n")
    assert "old" not in text
    assert "| bike_hours | off | declared loop | MAE | 6 [5, 7] | +3 [+2, +4] | 2 | 1 | 1 | 3 |" in text
    assert text.count("| bike_hours | MAE | 9 | +4 [+3, +5] | +3 [+2, +4] | 75 % | 2 of 2 | 0 | 1 | 1 |") == 1
    assert "<svg" in (docs / "images" / "backtest_bike_hours.svg").read_text()


def test_where_retraining_gains_nothing_there_is_no_share_of_it():
    outcomes = [outcome("never", 9.0, None), outcome("always", 5.0, 0.5), outcome("declared", 6.0, 3.0)]
    result = {"metric": "mae", "outcomes": outcomes}
    assert page.share_of_ungated(result) is None
    found = {("bike_hours", "all_mature"): result, ("nyse_volume", "all_mature"): result | {"outcomes": outcomes[:1]}}
    assert "| +3 [+2, +4] | no gain is sure | 2 of 2 |" in page.summary(found)
    assert "nyse_volume" not in page.summary(found)


@pytest.mark.parametrize(
    ("gains", "errors", "rows"),
    [
        ((10.0, 9.1), (30.0, 30.5), (True, True)),
        ((10.0, 8.9), (30.0, 31.0), (False, False)),
        ((10.0, -1.0), (30.0, math.nan), (False, False)),
    ],
)
def test_a_row_of_quality_is_ok_when_nine_tenths_are_kept_or_nothing_is_lost(monkeypatch, gains, errors, rows):
    def played(gain, error):
        shown = {"trainings": [1, 2], "promotions": 1, "rollbacks": 0, "seconds": 3.4}
        return SimpleNamespace(gain=SimpleNamespace(gain=gain), pooled={"mae": (error, 0.0, 0.0)}, **shown)

    by_name = {
        "never": played(0.0, errors[0]),
        "always": played(gains[0], 20.0),
        "declared": played(gains[1], errors[1]),
    }
    monkeypatch.setattr(quality, "_replayed", lambda *_: (SimpleNamespace(metric="mae"), by_name))
    kept = quality.kept("bike_hours", None, row="gain", unit="bikers", scale=1000)
    assert (kept.ok, kept.ours) == (rows[0], 10000.0)
    assert quality.not_worse("nyse_volume", None, row="error", bound=1.02, unit="MAE").ok == rows[1]
    assert "2 trainings in place of 2, a third is 0; 1 promotions, 0 taken back" in kept.note


def test_the_kinds_are_measured_on_data_sets_that_there_are():
    assert set(kinds.NAMES) < set(tables.TABLES)


@pytest.mark.parametrize("command", [backtests.main, kinds.main, hindsight.main, probation.main])
def test_a_data_set_that_there_is_not_is_named_beside_those_that_there_are(command, capsys):
    assert command(["flight_range"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("there is no data set 'flight_range' (there are: ")
    assert "flight_ranges" in said
