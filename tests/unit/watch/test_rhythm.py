"""The rhythm: which evidence a look rests on, which refits of the probe serve it, and what it may err."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from tests.support import toy
from tests.support.triage_months import POLICY

from airloop.config import calendar_windows
from airloop.records import Window
from airloop.watch import rhythm


def at(month: int, day: int = 1, hour: int = 0) -> datetime:
    return datetime(2020, month, day, hour, tzinfo=UTC)


@pytest.fixture
def declared(toy_settings):
    pipeline = toy.toy_pipeline(toy_settings)

    def make(calendar="daily", **monitoring):
        changed = pipeline.monitoring.model_copy(update=monitoring)
        return pipeline.model_copy(update={"calendar": calendar, "monitoring": changed})

    return make


@pytest.mark.parametrize(
    ("calendar", "every", "looks"),
    [
        ("hourly", None, "daily"),
        ("hourly", "hourly", "hourly"),
        ("daily", None, "daily"),
        ("daily", "weekly", "weekly"),
        ("weekly", None, "weekly"),
        ("monthly", None, "monthly"),
    ],
)
def test_the_calendar_of_looks_is_the_pipelines_and_at_least_daily(declared, calendar, every, looks) -> None:
    pipeline = declared(calendar, every=every)
    assert pipeline.monitoring_calendar == looks
    assert (pipeline.calendar_of("monitoring"), pipeline.calendar_of("data")) == (looks, calendar)


@pytest.mark.parametrize(
    ("calendar", "window", "since", "start"),
    [
        pytest.param("daily", Window(at(5, 1), at(5, 2)), at(1), at(4, 4), id="28 days before its end"),
        pytest.param("hourly", Window(at(5, 1), at(5, 2)), at(1), at(4, 4), id="hourly windows, daily looks"),
        pytest.param("weekly", Window(at(4, 27), at(5, 4)), at(1), at(4, 6), id="four weeks"),
        pytest.param("monthly", Window(at(3), at(4)), at(1), at(3), id="a month is judged alone"),
        pytest.param("monthly", Window(at(2), at(3)), at(1), at(2), id="the shortest month too"),
        pytest.param("daily", Window(at(5, 1), at(5, 2)), at(4, 20), at(4, 20), id="not before the champion"),
        pytest.param("daily", Window(at(1, 9), at(1, 10)), None, at(1), id="not before the coverage"),
        pytest.param("daily", Window(at(5, 1), at(5, 2)), at(5, 1), at(5, 1), id="its first day"),
        pytest.param("daily", Window(at(3, 1), at(3, 21)), at(1), at(3, 1), id="asked for by hand: judged alone"),
    ],
)
def test_evidence_reaches_back_over_days_but_behind_no_promotion(declared, calendar, window, since, start) -> None:
    assert rhythm.evidence_window(declared(calendar), window, since) == Window(start, window.end)


def test_a_longer_evidence_joins_months(declared) -> None:
    window = Window(at(3), at(4))
    assert rhythm.evidence_window(declared("monthly", over_days=60), window, at(1)).start == at(2)
    assert rhythm.evidence_window(declared("monthly", over_days=60), Window(at(5), at(6)), at(1)).start == at(4, 2)


@pytest.mark.parametrize("calendar", ["hourly", "daily", "weekly"])
def test_one_refit_serves_the_looks_of_a_quarter_of_the_evidence(declared, calendar) -> None:
    pipeline = declared(calendar)
    looks = calendar_windows(pipeline.monitoring_calendar, Window(at(6), at(9)))
    refits = sorted({cutoff for look in looks for cutoff in rhythm.probe_cutoffs(pipeline, look, at(1))})
    assert {later - earlier for earlier, later in pairwise(refits)} == {timedelta(days=7)}
    assert len(refits) == pytest.approx((at(9) - refits[0]) / timedelta(days=7), abs=1)


def test_a_month_has_a_refit_of_its_own_and_a_window_by_hand_one_at_its_start(declared) -> None:
    assert rhythm.probe_cutoffs(declared("monthly"), Window(at(3), at(4)), at(1)) == (at(3),)
    assert rhythm.probe_cutoffs(declared("daily"), Window(at(3, 2), at(3, 23)), at(1)) == (at(3, 2),)


def test_a_declared_refit_is_rarer_or_more_frequent(declared) -> None:
    look = Window(at(6, 9), at(6, 10))
    daily = rhythm.probe_cutoffs(declared("daily", probe_every_days=1), look, at(1))
    rare = rhythm.probe_cutoffs(declared("daily", probe_every_days=60), look, at(1))
    assert (len(daily), daily[-1]) == (28, at(6, 9))
    assert rare == (at(4, 30),)


def test_no_refit_is_older_than_the_champion(declared) -> None:
    since = at(4, 20, 7)
    cutoffs = rhythm.probe_cutoffs(declared("daily"), Window(at(5, 1), at(5, 2)), since)
    assert cutoffs == (at(4, 21), at(4, 28))


def test_the_looks_of_a_year_share_one_budget() -> None:
    for every, looks in rhythm.LOOKS_A_YEAR.items():
        longest = Window(at(1), datetime(2021, 1, 1, tzinfo=UTC))
        assert len(calendar_windows(every, longest)) <= looks
        assert looks * rhythm.level(every, POLICY) <= 1 - POLICY.confidence
