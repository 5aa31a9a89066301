"""Which features count as built and validated, where runs over other bounds lie over each other."""

from datetime import timedelta

import pytest
from tests.support import toy

from airloop.features import validated
from airloop.records import BuiltFeatures, TableVersion, Validated, Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import state

DAY = toy.days(0, 1)


def hours(first: int, end: int) -> Window:
    return Window(DAY.start + timedelta(hours=first), DAY.start + timedelta(hours=end))


def build(settings: Settings, window: Window, version: int, *, checked: bool = True) -> None:
    views = (TableVersion("heat", "", version=version, rows=1, digest=""),)
    records = {"build_features": BuiltFeatures(window, views).to_json()}
    if checked:
        records["validate_features"] = Validated(window, "features", (), views, "uri").to_json()
    for stage, record in records.items():
        state.save_record(settings, "toy", stage, input_key=digest([stage, record]), window=window, record=record)


@pytest.fixture(autouse=True)
def lake_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validated.lake, "newest", lambda *_: {})
    monkeypatch.setattr(validated.lake, "fallen_behind", lambda *_: "")


def parts(settings: Settings) -> tuple[Window, ...]:
    return validated.spans(toy.toy_pipeline(settings), DAY, settings)


def test_hours_that_follow_each_other_are_one_part(toy_settings: Settings) -> None:
    for hour in (0, 1, 3):
        build(toy_settings, hours(hour, hour + 1), hour)
    assert parts(toy_settings) == (hours(0, 2), hours(3, 4))


def test_hours_that_were_built_together_count_once_that_is_validated(toy_settings: Settings) -> None:
    for hour in range(6):
        build(toy_settings, hours(hour, hour + 1), hour)
    build(toy_settings, hours(2, 5), 7, checked=False)
    assert parts(toy_settings) == (hours(0, 2), hours(5, 6))
    # One of them was built by itself since.
    build(toy_settings, hours(3, 4), 8)
    assert parts(toy_settings) == (hours(0, 2), hours(3, 4), hours(5, 6))
    build(toy_settings, hours(2, 5), 9)
    assert parts(toy_settings) == (hours(0, 6),)


def test_an_hour_that_is_built_and_not_validated_is_no_part_of_what_was_built_together(toy_settings: Settings) -> None:
    build(toy_settings, hours(0, 6), 1)
    build(toy_settings, hours(3, 4), 2, checked=False)
    assert parts(toy_settings) == (hours(0, 3), hours(4, 6))
