"""A file whose rows lie outside its day says which clock wrote them, and nothing where none did."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from airloop.config import Feed
from airloop.data import other_clock
from airloop.records import LandedFile
from airloop.settings import load_settings

FEED = Feed(files="{day}.csv", key=("id",), event_time="at", columns={"id": "string", "at": "timestamp"})
Clock = Callable[[datetime], datetime]


def _named(folder: Path, zone: str, clock: Clock, *, day: str = "2013-04-10", count: int = 96) -> str:
    start = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = [clock(start + timedelta(minutes=15 * number)) for number in range(count)]
    path = folder / f"{day}.csv"
    path.write_text("id,at\n" + "".join(f"{n},{at:%Y-%m-%dT%H:%M:%SZ}\n" for n, at in enumerate(times)))
    feed = FEED.model_copy(update={"day_timezone": zone})
    return other_clock.named(LandedFile("jobs", f"file://{path}", "", 0), feed, load_settings(home=folder))


def _wall(zone: str) -> Clock:
    return lambda at: at.astimezone(ZoneInfo(zone))


def _later(hours: float) -> Clock:
    return lambda at: at + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", "2013-04-10"),
        ("America/New_York", "2013-11-02"),
        ("Europe/Berlin", "2013-07-01"),
        ("Asia/Kolkata", "2013-04-10"),
        ("Australia/Lord_Howe", "2013-01-10"),
    ],
)
def test_the_local_clock_written_as_utc_is_named_with_its_zone(tmp_path: Path, zone: str, day: str) -> None:
    says = _named(tmp_path, zone, _wall(zone), day=day)
    assert says == f"at looks like local time ({zone}) written as UTC"


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", -5.0), ("UTC", 5.5), ("UTC", 9.5), ("America/New_York", -6.0), ("UTC", 11.0)]
)
def test_a_clock_that_is_off_by_hours_is_named_with_them(tmp_path: Path, zone: str, hours: float) -> None:
    assert _named(tmp_path, zone, _later(hours)) == f"at looks like another clock, {hours:+g} h"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("clock", [_later(0), _later(24), _later(-24 * 365)])
def test_rows_of_the_day_and_rows_of_another_day_are_no_clock(tmp_path: Path, zone: str, clock: Clock) -> None:
    assert _named(tmp_path, zone, clock) == ""


def test_a_few_rows_of_the_next_day_are_no_clock(tmp_path: Path) -> None:
    assert _named(tmp_path, "UTC", _later(0), count=98) == ""
