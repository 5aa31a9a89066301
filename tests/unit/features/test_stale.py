"""A changed feature is stale: it refuses a training and is built again by one command; a comment changes nothing."""

import pytest
from tests.support import toy
from tests.support.command import Airloop

from airloop.errors import DataContractError
from airloop.features.stale import refuse_stale, stale_windows
from airloop.settings import Settings

VIEW = "SELECT machine, celsius, known_at, created_at FROM heat;"


def built(settings: Settings, *windows: tuple[int, int]) -> None:
    for first, end in windows:
        toy.run_data(settings, toy.days(first, end))


def rewritten(settings: Settings, old: str, new: str) -> None:
    path = settings.pipelines_dir / "toy" / "features.sql"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_windows_built_by_other_definitions_are_stale_and_refuse_a_training(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(6))
    built(toy_settings, (0, 3), (3, 6))
    pipeline = toy.toy_pipeline(toy_settings)
    assert stale_windows(pipeline, toy_settings) == ()
    rewritten(toy_settings, VIEW, f"-- in degrees\n{VIEW}")
    assert stale_windows(pipeline, toy_settings) == ()
    refuse_stale(pipeline, toy.days(0, 6), toy_settings)
    rewritten(toy_settings, VIEW, VIEW.replace("celsius,", "celsius + 273.15 AS celsius,"))
    assert stale_windows(pipeline, toy_settings) == (toy.days(0, 3), toy.days(3, 6))
    with pytest.raises(DataContractError, match=r"features of 2 windows .*: airloop run data toy --stale"):
        refuse_stale(pipeline, toy.days(0, 6), toy_settings)


def test_a_window_that_a_later_one_covers_does_not_count(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(4))
    built(toy_settings, (0, 2), (2, 4))
    rewritten(toy_settings, VIEW, VIEW.replace("celsius,", "celsius + 1 AS celsius,"))
    built(toy_settings, (0, 4))
    assert stale_windows(toy.toy_pipeline(toy_settings), toy_settings) == ()


def test_the_command_builds_what_is_stale_and_says_when_nothing_is(toy_settings: Settings, airloop: Airloop) -> None:
    toy.land(toy_settings, days=range(2))
    built(toy_settings, (0, 1), (1, 2))
    assert "nothing is stale" in airloop("run", "data", "toy", "--stale").out
    rewritten(toy_settings, VIEW, VIEW.replace("celsius,", "celsius + 1 AS celsius,"))
    done = airloop("run", "data", "toy", "--stale")
    assert (done.code, done.out.strip()) == (0, "2 windows built again")
    assert stale_windows(toy.toy_pipeline(toy_settings), toy_settings) == ()
    for arguments in (("run", "ingest", "toy", "--stale"), ("run", "data", "toy", "--stale", "--end", "2020-01-02")):
        assert "finds its windows itself: airloop run data toy --stale" in airloop(*arguments).err


def test_a_window_off_the_calendar_is_refused_by_the_command_with_the_nearest_bound(
    toy_settings: Settings, airloop: Airloop
) -> None:
    toy.land(toy_settings, days=range(2))
    refused = airloop("run", "ingest", "toy", "--start", "2020-01-01", "--end", "2020-01-02T13:00:00Z")
    assert refused.code == 1
    assert "not a bound of a daily window of toy; the nearest is 2020-01-03T00:00:00Z" in refused.err
    assert airloop("run", "ingest", "toy", "--start", "2020-01-01", "--end", "2020-01-03").code == 0
    reversed_window = airloop("run", "ingest", "toy", "--start", "2020-01-03", "--end", "2020-01-01")
    assert (reversed_window.code, "empty or reversed" in reversed_window.err) == (1, True)
