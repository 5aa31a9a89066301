"""What had landed before a replay and lies beyond it keeps the inbox paused; what comes later does not."""

import pytest
from tests.support import toy

from airloop.records import Ingested, Window
from airloop.settings import Settings
from airloop.stores import state
from airloop_platform.replay import beyond


def ingested(settings: Settings, window: Window) -> None:
    record = Ingested(window, (), (), ()).to_json()
    state.save_record(settings, "toy", "ingest", input_key=str(window), window=window, record=record)


def left(settings: Settings, *, since: int, until: int | None) -> list[str]:
    day = toy.days(0, 1).start if until is None else toy.days(0, until).end
    windows = beyond.left(
        toy.toy_pipeline(settings),
        settings,
        since=toy.days(since, since + 1).start,
        until=None if until is None else day,
    )
    return [f"{window.start:%m-%d}" for window in windows]


def test_windows_that_had_landed_and_were_not_taken_are_left(toy_settings: Settings) -> None:
    assert left(toy_settings, since=3, until=6) == ["01-04", "01-05", "01-06"]


def test_a_window_that_was_ingested_alone_or_within_others_is_not_left(toy_settings: Settings) -> None:
    ingested(toy_settings, toy.days(4, 5))
    ingested(toy_settings, toy.days(6, 8))
    assert left(toy_settings, since=3, until=9) == ["01-04", "01-06", "01-09"]


@pytest.mark.parametrize("until", [None, 2, 3])
def test_nothing_is_left_when_nothing_had_landed_beyond(toy_settings: Settings, until: int | None) -> None:
    assert left(toy_settings, since=3, until=until) == []


def test_files_reach_as_far_as_the_newest_day_inside_the_coverage(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    assert beyond.landed_until(pipeline, toy_settings) is None
    toy.land(toy_settings, days=range(5))
    reached = beyond.landed_until(pipeline, toy_settings)
    assert reached is not None
    assert toy.days(0, 5).end <= reached <= toy.days(0, 6).end
    short = pipeline.coverage.model_copy(update={"end": toy.days(0, 2).end})
    assert beyond.landed_until(pipeline.model_copy(update={"coverage": short}), toy_settings) == toy.days(0, 2).end


def test_the_note_says_how_many_since_when_and_both_ways_on(toy_settings: Settings) -> None:
    says = beyond.note(toy.toy_pipeline(toy_settings), (toy.days(3, 4), toy.days(4, 5)))
    assert says.startswith("toy__inbox stays paused, for 2 windows from 2020-01-04T00:00Z on had landed before")
    assert "airloop replay toy" in says
    assert "unpause" in says
    assert ": " not in says  # a line with a colon is progress, which the next one replaces
