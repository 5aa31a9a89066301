"""Real stages in every rhythm: a planted change asks for a training, a world that stays as it was asks for none."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import toy

from airloop.records import Action, Ingested, Monitored, Scored, Window
from airloop.settings import Settings
from airloop.stores import ledger

pytestmark = pytest.mark.integration

CHANGE, END = 25, 60


def looks(calendar: str, days: tuple[int, ...]) -> list[Window]:
    """The looks that end with these days; of a weekly calendar the weeks that end by them."""
    length = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(days=7)}[calendar]
    ends = [toy.START + timedelta(days=day) for day in days]
    if calendar == "weekly":
        # 2020-01-06, day 5, is a Monday.
        ends = [toy.START + timedelta(days=5 + (day - 5) // 7 * 7) for day in days]
    return [Window(end - length, end) for end in ends]


def kinds(settings: Settings, over: list[Window]) -> list[tuple[str, Monitored]]:
    found = []
    for look in over:
        monitored, action = toy.run("monitor", settings, look), toy.run("triage", settings, look)
        assert isinstance(monitored, Monitored)
        assert isinstance(action, Action)
        found.append((action.kind, monitored))
    return found


def declared(settings: Settings, root: Path, calendar: str) -> Settings:
    """The same home as an hourly pipeline with hourly looks, a daily or a weekly one."""
    old, new = "calendar: daily", f"calendar: {calendar}"
    if calendar == "daily":
        return settings
    edited = toy.edited(settings, root, "pipeline.yaml", old, new)
    path = root / "include" / "pipelines" / "toy" / "pipeline.yaml"
    if calendar == "hourly":
        path.write_text(path.read_text().replace("{sample_rows", "{every: hourly, sample_rows"))
    return edited


@pytest.fixture(scope="module")
def changed(turned: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The champion of day 25, when the world turned (toy_turned), has scored all days since; a ledger of its own."""
    ledger_of_its_own = tmp_path_factory.mktemp("changed") / "state.db"
    shutil.copy(turned.home / "state.db", ledger_of_its_own)
    settings = turned.model_copy(update={"state_url": f"sqlite:///{ledger_of_its_own}"})
    toy.run("score", settings, toy.days(CHANGE, END))
    return settings


@pytest.fixture(scope="module")
def same(toy_trained: Settings) -> Settings:
    """The champion of day 40 has scored days 40 to 60 of the world it knows."""
    toy.land(toy_trained, days=range(45, END))
    toy.run_data(toy_trained, toy.days(45, END))
    toy.run("score", toy_trained, toy.days(40, END))
    return toy_trained


def test_hours_without_rows_go_through_every_stage_and_are_scored(same: Settings, tmp_path: Path) -> None:
    settings = declared(same, tmp_path, "hourly")
    path = tmp_path / "include" / "pipelines" / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("key: [job], event_time", "key: [job], empty_windows: normal, event_time"))
    day, scored = END, 0
    toy.land(settings, days=range(day, day + 1))
    for hour in range(5):
        start = toy.START + timedelta(days=day, hours=hour)
        window = Window(start, start + timedelta(hours=1))
        toy.run_data(settings, window)
        ingested = toy.run("ingest", settings, window)
        assert isinstance(ingested, Ingested)
        # All jobs of a day are planned at its midnight.
        assert ("jobs" in ingested.empty) == (hour > 0)
        found = toy.run("score", settings, window)
        assert isinstance(found, Scored)
        scored += found.rows
    # A job starts every 20 minutes from 02:00 on, and is asked about half an hour before.
    assert scored == 11


@pytest.mark.parametrize("calendar", ["hourly", "daily", "weekly"])
def test_a_planted_change_asks_for_a_training_within_two_windows_of_evidence(
    changed: Settings, tmp_path: Path, calendar: str
) -> None:
    settings = declared(changed, tmp_path, calendar)
    found = kinds(settings, looks(calendar, (40, 47, 54, END)))
    assert "retrain" in [kind for kind, _ in found], [record.probe for _, record in found]
    newest = found[-1][1]
    assert newest.evidence.end - newest.evidence.start <= timedelta(days=28)
    assert newest.evidence.end - newest.evidence.start > timedelta(days=20)
    asked = [entry for entry in ledger.entries(settings, "toy", kind="triage") if entry.payload["kind"] == "retrain"]
    assert "surely above" in asked[-1].payload["why"]
    assert asked[-1].payload["evidence"][0]["level"] is not None


@pytest.mark.parametrize("calendar", ["hourly", "daily", "weekly"])
def test_a_world_that_stays_as_it_was_asks_for_none(same: Settings, tmp_path: Path, calendar: str) -> None:
    found = kinds(declared(same, tmp_path, calendar), looks(calendar, (50, 56, 58, END)))
    assert {kind for kind, _ in found} <= {"nothing", "not_enough_data"}
    assert found[-1][0] == "nothing" or calendar == "weekly"
    assert found[-1][1].alarms == ()
