"""`airloop demo` on any pipeline: which windows it takes, and what it refuses before a platform is started."""

from datetime import UTC, datetime, timedelta

import pytest

from airloop.config import Pipeline, load_pipeline, pipeline_names
from airloop.config.calendar import Calendar
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings
from airloop_platform import cli
from airloop_platform.demo.months import demo_windows

SHIPPED = pipeline_names(load_settings())


def covering(start: datetime, end: datetime | None, calendar: Calendar = "monthly") -> Pipeline:
    pipeline = load_pipeline(SHIPPED[0], load_settings())
    coverage = pipeline.coverage.model_copy(update={"start": start, "end": end})
    return pipeline.model_copy(update={"coverage": coverage, "calendar": calendar})


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_pipeline_has_enough_months_for_a_first_champion_and_one_after_it(name: str) -> None:
    windows = demo_windows(load_pipeline(name, load_settings()), months=12)
    assert len(windows) >= 4
    assert len(demo_windows(load_pipeline(name, load_settings()), months=3)) == 3


@pytest.mark.parametrize(
    ("calendar", "count", "longest"),
    [("hourly", 61 * 24, timedelta(hours=1)), ("daily", 61, timedelta(days=1)), ("weekly", 9, timedelta(days=7))],
)
def test_months_are_months_on_every_calendar(calendar: Calendar, count: int, longest: timedelta) -> None:
    pipeline = covering(datetime(2024, 12, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), calendar)
    windows = demo_windows(pipeline, months=2)
    first, last = windows[0], windows[-1]
    assert (first.start, last.start.month) == (pipeline.coverage.start, 1)
    assert {window.end - window.start for window in windows} == {longest}
    assert len(windows) == count


def test_a_month_half_covered_is_left_out() -> None:
    windows = demo_windows(covering(datetime(2024, 1, 10, tzinfo=UTC), datetime(2024, 3, 20, tzinfo=UTC)), months=12)
    assert [f"{window}" for window in windows] == ["[2024-02-01T00:00Z, 2024-03-01T00:00Z)"]
    with pytest.raises(ConfigError, match="no whole monthly window"):
        demo_windows(covering(datetime(2024, 1, 10, tzinfo=UTC), datetime(2024, 2, 20, tzinfo=UTC)), months=12)


def test_a_pipeline_without_a_replay_is_refused_before_anything_starts(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    with pytest.raises(SystemExit) as left:
        cli.main(("demo", "--pipeline", "toy"))
    assert left.value.code == 1
    shown = capsys.readouterr()
    assert "toy: the demo needs `replay` and `coverage.end`" in shown.err
    assert "starting" not in shown.out
    assert not (toy_settings.home / "run").exists()


def test_a_pipeline_that_is_not_declared_is_refused(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    with pytest.raises(SystemExit) as left:
        cli.main(("demo", "--pipeline", "toi"))
    assert left.value.code == 1
    assert "toy" in capsys.readouterr().err
