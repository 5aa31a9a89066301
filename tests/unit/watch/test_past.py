"""A champion's own past: bounded, its own, and without windows in which something was wrong."""

from dataclasses import replace

import pytest
from tests.support.watch_world import START, blank, pipeline, watched

from airloop.records import Alarm
from airloop.settings import Settings
from airloop.stores import alarms, state
from airloop.watch.past import WINDOWS, earlier_windows, past_of

NAME = "flight_delays"
WRONG = Alarm("labels_missing", "label", "half of the labels are missing")


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def store(settings, record, key=""):
    alarms.announce(pipeline(), "monitor", record.window, record.alarms, settings)
    text = f"{record.window}{key}"
    state.save_record(settings, NAME, "monitor", input_key=text, window=record.window, record=record.to_json())


def windows(settings, number, version=1):
    return [record.window for record in earlier_windows(pipeline(), blank(number).window, version, settings)]


def test_windows_of_this_champion_before_this_one_count_newest_first(settings):
    for number in range(4):
        store(settings, blank(number))
    store(settings, replace(blank(2), version=2), "other")
    assert windows(settings, 3) == [blank(number).window for number in (2, 1, 0)]
    assert windows(settings, 3, version=2) == [blank(2).window]
    assert windows(settings, 0) == []


def test_no_more_than_the_last_windows_are_read(settings):
    for number in range(WINDOWS + 5):
        store(settings, blank(number))
    assert len(windows(settings, WINDOWS + 5)) == WINDOWS
    rows = state.records_before(settings, NAME, "monitor", end=blank(9).window.start, limit=2)
    assert [row["window"] for row in rows] == [blank(number).window.to_json() for number in (8, 7)]
    assert state.records_before(settings, NAME, "monitor", end=START, limit=2) == []


def test_of_a_window_the_newest_live_record_counts(settings):
    store(settings, replace(blank(0), prediction_psi=0.5), "first")
    store(settings, replace(blank(0), prediction_psi=0.1), "again")
    store(settings, replace(blank(0), prediction_psi=0.9, origin="backfill"), "backfill")
    records = earlier_windows(pipeline(), blank(1).window, 1, settings)
    assert past_of(watched().champion, pipeline(), records).prediction_psis() == [0.1]


def test_a_window_with_an_alarm_is_not_usual_until_somebody_accepts_it(settings):
    store(settings, blank(0))
    store(settings, replace(blank(1), alarms=(WRONG,)))
    assert windows(settings, 2) == [blank(0).window]
    key = alarms.alarm_id(NAME, blank(1).window, WRONG)
    alarms.answer(settings, pipeline(), key, word="excluded", why="broken", who="test")
    assert windows(settings, 2) == [blank(0).window]
    alarms.answer(settings, pipeline(), key, word="accepted", why="a strike", who="test")
    assert windows(settings, 2) == [blank(1).window, blank(0).window]


def test_what_is_usual_comes_from_the_holdout_and_from_the_windows():
    past = past_of(watched().champion, pipeline(), [replace(blank(0), calibration_gap=0.04, live={"roc_auc": 0.7})])
    assert past.metric("roc_auc")[1:] == [0.7]
    assert 0.6 < past.metric("roc_auc")[0] < 0.9
    assert past.gaps()[1:] == [0.04]
    assert len(past.metric("brier")) == 1


def test_a_champion_that_was_never_evaluated_has_no_holdout():
    champion = replace(watched().champion, read_holdout_predictions=lambda: watched().champion.holdout_predictions[[]])
    past = past_of(champion, pipeline(), [])
    assert (past.metric("brier"), past.gaps(), past.spread) == ([], [], None)
