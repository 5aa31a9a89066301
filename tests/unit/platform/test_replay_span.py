"""Which windows a replay takes; no date, reversed, off the calendar, without data: refused with the nearest one."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from tests.support import toy

from airloop.config import Pipeline, calendar_windows, load_pipeline
from airloop.config.calendar import Calendar
from airloop.errors import ConfigError
from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop_platform import cli
from airloop_platform.replay import span
from airloop_platform.replay.period import look_of


def flights(start: datetime, end: datetime | None, calendar: Calendar = "monthly") -> Pipeline:
    pipeline = load_pipeline("flight_delays", load_settings())
    coverage = pipeline.coverage.model_copy(update={"start": start, "end": end})
    return pipeline.model_copy(update={"coverage": coverage, "calendar": calendar})


YEAR = flights(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))


def between(pipeline: Pipeline, start: str, end: str) -> list[str]:
    within = span.reach(pipeline, load_settings())
    return [f"{window.start:%m-%d}" for window in span.windows_between(pipeline, start, end, within)]


def test_every_whole_window_between_two_dates_is_taken() -> None:
    assert between(YEAR, "2013-02-01", "2013-05-01") == ["02-01", "03-01", "04-01"]
    assert between(YEAR, "2013-11-01T00:00:00Z", "") == ["11-01", "12-01"]
    assert between(YEAR, "", "2013-02-01") == ["01-01"]
    assert between(flights(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 2, 1, tzinfo=UTC), "weekly"), "", "") == [
        "01-07",
        "01-14",
        "01-21",
    ]


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2013-13-01", "", "--from: '2013-13-01' is not an ISO 8601 instant"),
        ("yesterday", "", "--from: 'yesterday' is not an ISO 8601 instant"),
        ("2013-01-01T00:00:00", "", "--from: '2013-01-01T00:00:00' has no UTC offset"),
        ("2013-05-01", "2013-02-01", "--from 2013-05-01 does not lie before --to 2013-02-01: swap them, or write --to"),
        ("2013-05-01", "2013-05-01", "--from 2013-05-01 does not lie before --to 2013-05-01"),
        ("2013-03-20", "", "no monthly window of flight_delays starts at 2013-03-20; the nearest is --from 2013-04-01"),
        ("", "2013-03-09", "no monthly window of flight_delays ends at 2013-03-09; the nearest is --to 2013-03-01"),
        ("2012-06-01", "", "lies before the data of flight_delays, which begin 2013-01-01 (coverage.start"),
        (
            "",
            "2031-01-01",
            "lies after the data of flight_delays, which end 2014-01-01 (coverage.end in pipeline.yaml)",
        ),
        (
            "2014-01-01",
            "",
            "--from 2014-01-01 is the end of the data of flight_delays; the nearest is --from 2013-12-01",
        ),
        (
            "",
            "2013-01-01",
            "--to 2013-01-01 is the beginning of the data of flight_delays; the nearest is --to 2013-02-01",
        ),
    ],
)
def test_a_date_that_is_none_of_the_calendar_is_refused_with_the_nearest(start: str, end: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        between(YEAR, start, end)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def looking(pipeline: Pipeline, every: Calendar) -> Pipeline:
    return pipeline.model_copy(update={"monitoring": pipeline.monitoring.model_copy(update={"every": every})})


JANUARY = (datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("calendar", "every", "ends"),
    [
        ("daily", "weekly", ["01-07", "01-14", "01-21", "01-28", "02-01"]),
        ("weekly", "monthly", ["01-07", "02-04"]),
        ("monthly", "monthly", ["02-01"]),
    ],
)
def test_windows_are_joined_up_to_the_next_look_and_none_is_lost(
    calendar: Calendar, every: Calendar, ends: list[str]
) -> None:
    pipeline = looking(flights(*JANUARY, calendar), every)
    windows = calendar_windows(calendar, Window(*JANUARY))
    joined = span.by_look(pipeline, windows, load_settings())
    assert [f"{window.end:%m-%d}" for window in joined] == ends
    assert (joined[0].start, joined[-1].end) == (windows[0].start, windows[-1].end)
    assert all(before.end == after.start for before, after in pairwise(joined))


def test_windows_are_not_joined_where_a_feature_reads_outcomes(toy_settings: Settings) -> None:
    path = toy_settings.pipelines_dir / "toy" / "features.sql"
    written = path.read_text()
    pipeline = looking(toy.toy_pipeline(toy_settings), "weekly")
    windows = calendar_windows("daily", toy.days(0, 14))
    assert len(span.by_look(pipeline, windows, toy_settings)) == 3
    path.write_text(written.replace("FROM heat;", "FROM heat LEFT JOIN failures ON failures.job = heat.machine;"))
    with pytest.raises(ConfigError, match=r"makes features of failures, an outcome feed.*leave --by-look out"):
        span.by_look(pipeline, windows, toy_settings)


@pytest.mark.parametrize(
    ("window", "look"),
    [
        (toy.days(0, 1), None),
        (toy.days(5, 12), toy.days(5, 12)),
        (toy.days(11, 12), toy.days(5, 12)),
        (toy.days(12, 13), None),
        (toy.days(6, 21), toy.days(12, 19)),
    ],
)
def test_the_look_of_a_window_is_the_newest_that_ends_in_it(
    toy_settings: Settings, window: Window, look: Window | None
) -> None:
    assert look_of(looking(toy.toy_pipeline(toy_settings), "weekly"), window) == look


def test_without_an_end_of_the_coverage_the_source_or_the_newest_landed_file_ends_the_data(
    toy_settings: Settings,
) -> None:
    open_ended = flights(datetime(2013, 1, 1, tzinfo=UTC), None)
    assert between(open_ended, "2013-11-01", "") == ["11-01", "12-01"]
    toy.land(toy_settings, days=range(10))
    landed = span.reach(toy.toy_pipeline(toy_settings), toy_settings)
    assert (landed.span, landed.ends_by) == (toy.days(0, 10), "the newest file that landed")


def test_where_nothing_has_landed_no_platform_is_started(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    with pytest.raises(SystemExit) as left:
        cli.main(("replay", "toy"))
    assert left.value.code == 1
    shown = capsys.readouterr()
    assert "land its past first (airloop land toy FEED table.csv)" in shown.err
    assert "starting" not in shown.out
    assert not (toy_settings.home / "run").exists()
