"""No file, a file with no rows, no rows in this hour: three things with three outcomes."""

from datetime import timedelta

import pytest
from tests.support import hourly, toy

from airloop.data import empty_windows
from airloop.errors import DataContractError
from airloop.records import Ingested, Window
from airloop.settings import Settings

HOUR = timedelta(hours=1)
NIGHT = Window(toy.START + 30 * HOUR, toy.START + 31 * HOUR)


def ingest(settings: Settings, over: Window = NIGHT) -> Ingested:
    found = toy.run("ingest", settings, over)
    assert isinstance(found, Ingested)
    return found


def full(settings: Settings, **keys: object) -> None:
    """An hourly toy that had rows on the day before the night."""
    pipeline = hourly.declare(settings, **keys)
    for number in (4, 5):
        at = toy.START + number * HOUR
        name = f"{at:%Y-%m-%dT%H}.csv" if pipeline.feeds["heat"].hourly else ""
        hourly.land(settings, "heat", at, [hourly.heat(at)], name=name)
        ingest(settings, Window(at, at + HOUR))


@pytest.mark.parametrize("normal", [True, False])
@pytest.mark.parametrize(
    ("lines", "why"),
    [
        pytest.param([], empty_windows.NO_ROWS_IN_FILES, id="a file with no rows"),
        pytest.param([hourly.heat(NIGHT.start + 5 * HOUR)], empty_windows.NO_ROWS_IN_WINDOW, id="no rows in this hour"),
    ],
)
def test_a_window_without_rows_is_normal_where_the_feed_says_so(
    toy_settings: Settings, lines: list[str], why: str, normal: bool
) -> None:
    full(toy_settings, **({"empty_windows": "normal"} if normal else {}))
    hourly.land(toy_settings, "heat", NIGHT.start, lines)
    found = ingest(toy_settings)
    assert found.empty["heat"] == why
    assert found.empty["jobs"] == empty_windows.NO_FILE
    with pytest.raises(DataContractError) as refused:
        toy.run("validate_raw", toy_settings, NIGHT)
    says = str(refused.value)
    # Of jobs no file landed: that is never normal.
    assert "jobs: no rows in this window (no file landed): land it, with the header alone" in says
    assert (f"heat: no rows in this window ({why}): land it whole; where such windows are normal" in says) != normal


def test_a_window_of_which_no_file_landed_fails_whatever_is_normal(toy_settings: Settings) -> None:
    full(toy_settings, files="{day}T{hour}.csv", empty_windows="normal")
    with pytest.raises(DataContractError, match="no file landed for this window"):
        ingest(toy_settings)


def test_a_window_with_rows_is_not_empty(toy_settings: Settings) -> None:
    hourly.declare(toy_settings)
    hourly.land(toy_settings, "heat", NIGHT.start, [hourly.heat(NIGHT.start)])
    hourly.land(toy_settings, "jobs", NIGHT.start, [])
    found = ingest(toy_settings)
    assert found.empty == {"jobs": empty_windows.NO_ROWS_IN_FILES, "failures": empty_windows.NO_FILE}


def test_an_hour_is_not_held_against_whole_days(toy_settings: Settings) -> None:
    hourly.declare(toy_settings)
    toy.land(toy_settings, days=range(20))
    toy.run("ingest", toy_settings, toy.days(0, 19))
    at = toy.START + timedelta(days=19, hours=4)
    for path in (toy_settings.home / "landing" / "toy" / "heat").glob("2020-01-20.csv"):
        path.unlink()
    hourly.land(toy_settings, "heat", at, [hourly.heat(at)])
    found = ingest(toy_settings, Window(at, at + HOUR))
    assert (found.missing_days, found.short_days) == ((), ())
