"""The rhythm of monitoring: its defaults, and which rhythms are refused."""

from typing import Any

import pytest
from tests.support import toy, toy_fleet
from tests.support.command import Airloop

from airloop.config import load_pipeline
from airloop.errors import ConfigError
from airloop.settings import Settings


def _rewrite(settings: Settings, *changes: tuple[str, str]) -> None:
    for old, new in changes:
        toy_fleet.rewrite(settings.pipelines_dir / "toy" / "pipeline.yaml", old, new)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", (None, 28, 7)),
        ("over_days: 14, ", (None, 14, 3)),
        ("over_days: 3, ", (None, 3, 1)),
        ("every: weekly, over_days: 56, probe_every_days: 14, ", ("weekly", 56, 14)),
    ],
)
def test_the_rhythm_has_defaults_that_follow_each_other(toy_settings: Settings, keys: str, expected: Any) -> None:
    _rewrite(toy_settings, ("{sample_rows", f"{{{keys}sample_rows"))
    monitoring = toy.toy_pipeline(toy_settings).monitoring
    assert (monitoring.every, monitoring.over_days, monitoring.probe_days) == expected


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("every: hourly, ", r"monitoring\.every is hourly, finer than the calendar daily"),
        ("every: yearly, ", r"monitoring\.every: .*'hourly', 'daily', 'weekly' or 'monthly'"),
        ("over_days: 0, ", r"monitoring\.over_days: .*greater than 0"),
        ("probe_every_days: 0, ", r"monitoring\.probe_every_days: .*greater than 0"),
        ("over_day: 28, ", r"monitoring\.over_day: unknown key; did you mean 'over_days'"),
    ],
)
def test_a_rhythm_that_makes_no_sense_is_refused_with_its_key(toy_settings: Settings, keys: str, says: str) -> None:
    _rewrite(toy_settings, ("{sample_rows", f"{{{keys}sample_rows"))
    with pytest.raises(ConfigError, match=says):
        load_pipeline("toy", toy_settings)


@pytest.mark.parametrize(("calendar", "over_days", "refused"), [("daily", 13, True), ("daily", 14, False)])
def test_check_refuses_a_rhythm_that_can_never_decide(
    toy_settings: Settings, airloop: Airloop, calendar: str, over_days: int, refused: bool
) -> None:
    _rewrite(
        toy_settings,
        ("calendar: daily", f"calendar: {calendar}"),
        ("{sample_rows", f"{{over_days: {over_days}, sample_rows"),
    )
    shown = airloop("pipelines", "check", "toy")
    says = f"monitoring.over_days: a look judges {over_days} days, and policy.min_blocks asks for 14"
    assert (says in shown.err, shown.code) == (refused, int(refused))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("k: 1, n: 1", "k: 2, n: 3", "monitoring.policy.n 3: looks that share rows count once, so they take 84 days"),
        ("{sample_rows", "{probe_every_days: 60, sample_rows", "probe_every_days 60 is longer than the 28 days"),
        ("end: 2020-03-01", "end: 2020-01-30", "policy.min_blocks days whose labels have matured take 30"),
    ],
)  # fmt: skip
def test_check_says_what_is_worth_a_look(
    toy_settings: Settings, airloop: Airloop, old: str, new: str, says: str
) -> None:
    assert says not in airloop("pipelines", "check", "toy").out
    _rewrite(toy_settings, (old, new))
    assert says in airloop("pipelines", "check", "toy").out
