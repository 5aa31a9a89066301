"""A replay in a home of its own, and the line that advises it where a first model was trained by hand."""

from pathlib import Path

import pytest
from tests.support import toy

from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings
from airloop.stores import ledger
from airloop_platform.replay import anew
from airloop_platform.replay.trainings import hand_key


def embedded(settings: Settings, **others: object) -> Settings:
    return load_settings(project_dir=settings.project_dir, home=settings.home, **others)


def champion_from(settings: Settings, day: int, reason_key: str) -> None:
    at = toy.days(day, day + 1).start
    for kind in ("trained", "done"):
        payload = {"version": 1, "reason": "hand", "reason_key": reason_key}
        ledger.append(settings, "toy", kind=kind, effective_at=at, payload=payload)


def test_the_home_is_new_and_what_has_landed_is_read_where_it_lies(toy_settings: Settings) -> None:
    settings = embedded(toy_settings, connections={"shop": "sqlite:///shop.db"})
    replayed = anew.home_of_its_own(toy.toy_pipeline(toy_settings), settings)
    assert replayed.home == settings.home / "replays" / "toy"
    assert replayed.landing_uri == settings.landing_uri
    assert replayed.state_url == f"sqlite:///{replayed.home}/state.db"
    assert replayed.connections == settings.connections


def test_a_source_of_the_past_lands_in_the_new_home(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings).model_copy(update={"replay": "toys:Past"})
    replayed = anew.home_of_its_own(pipeline, embedded(toy_settings))
    assert replayed.landing_uri == f"{replayed.home}/landing"


@pytest.mark.parametrize("folder", ["home", "elsewhere"])
def test_a_store_that_both_homes_would_write_to_is_refused_by_its_variable(
    toy_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    place = toy_settings.home if folder == "home" else tmp_path / folder
    monkeypatch.setenv("AIRLOOP_STATE_URL", f"sqlite:///{place}/state.db")
    with pytest.raises(ConfigError, match=r"AIRLOOP_STATE_URL would name the same place for both homes: unset it"):
        anew.home_of_its_own(toy.toy_pipeline(toy_settings), embedded(toy_settings))


def test_a_first_model_trained_by_hand_late_in_the_past_is_told(toy_settings: Settings) -> None:
    champion_from(toy_settings, 5, "")
    windows = [toy.days(day, day + 1) for day in range(8)]
    told = anew.advice(toy.toy_pipeline(toy_settings), windows, toy_settings)
    assert "in force from 2020-01-06: the 5 windows before" in told
    assert "airloop replay toy --anew" in told


@pytest.mark.parametrize(("day", "replayed", "first"), [(5, True, 0), (5, False, 4), (1, False, 0)])
def test_a_replay_of_its_own_first_model_or_of_what_follows_is_not(
    toy_settings: Settings, day: int, replayed: bool, first: int
) -> None:
    champion_from(toy_settings, day, hand_key(toy.days(day, day + 1).start) if replayed else "")
    windows = [toy.days(day, day + 1) for day in range(first, 8)]
    assert anew.advice(toy.toy_pipeline(toy_settings), windows, toy_settings) == ""


def test_without_a_champion_there_is_no_advice(toy_settings: Settings) -> None:
    assert anew.advice(toy.toy_pipeline(toy_settings), [toy.days(0, 1)], toy_settings) == ""


def test_commands_for_the_other_home_carry_its_variables(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    here = embedded(toy_settings)
    assert anew.variables(here) == ""
    there = anew.home_of_its_own(toy.toy_pipeline(toy_settings), here)
    assert anew.variables(there) == f"AIRLOOP_HOME={there.home} AIRLOOP_LANDING_URI={here.landing_uri}"
