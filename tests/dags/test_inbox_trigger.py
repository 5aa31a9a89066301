"""The bell: one ring per burst, and none is lost."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from airflow.triggers.base import TriggerEvent
from tests.support.waiting import bound

from airloop.data import bell_answers
from airloop.errors import UpstreamUnavailable
from airloop.settings import load_settings
from airloop_airflow import bell as inbox_kit
from airloop_airflow.bell import Bell, LandingTrigger


def _rings(listings: str, *, longest_seconds: float = 20) -> str:
    """Listings, one letter a second ('-' is an empty folder), to '!' where the bell rings."""
    bell = Bell(longest_seconds, again_seconds=1000)
    return "".join("!" if bell.hears("" if letter == "-" else letter, after=1) else "." for letter in listings)


@pytest.mark.parametrize(
    ("listings", "rings"),
    [
        ("-----", "....."),
        ("--aaaa", "...!.."),
        ("aa", ".!"),
        ("abcdd", "....!"),
        ("aabbaa", ".!.!.!"),
        ("aaba", ".!.."),
        ("aa--", ".!.!"),
    ],
    ids=["empty", "burst", "at start", "quiet first", "again", "back before quiet", "all removed"],
)
def test_it_rings_once_a_changed_listing_is_quiet(listings: str, rings: str) -> None:
    assert _rings(listings) == rings


def test_a_folder_that_is_never_quiet_rings_all_the_same() -> None:
    assert _rings("abcdefghij", longest_seconds=4) == "...!...!.."


@pytest.mark.parametrize(
    ("listings", "asks"),
    [
        ("aaaaaaaaaaaaaaaaaaaaaaaaa", "..?.?...?.......?.......?"),
        ("aaaaaaabbbbbbb", "..?.?....?.?.."),
        ("----------", ".........."),
        ("aababababa", "...?.?...?"),
    ],
    ids=["rung and quiet", "rung for another", "empty", "unrest"],
)
def test_so_many_quiet_seconds_after_a_ring_it_is_time_to_ask(listings: str, asks: str) -> None:
    bell = Bell(longest_seconds=20, again_seconds=8)
    heard = []
    for letter in listings:
        bell.hears("" if letter == "-" else letter, after=1)
        heard.append("?" if bell.is_time_to_ask() else ".")
    assert "".join(heard) == asks


def _pauses(listings: str, *, took: float) -> list[float]:
    bell = Bell(longest_seconds=60, again_seconds=300)
    pauses = [3.0]
    for letter in listings:
        bell.hears(letter, after=pauses[-1])
        pauses.append(bell.pause(3.0, took=took))
    return pauses[1:]


def test_a_folder_that_changes_is_looked_at_every_poll() -> None:
    assert _pauses("ab" * 200, took=0.001) == [3.0] * 400


def test_a_folder_that_was_quiet_for_five_minutes_is_looked_at_less_often_until_something_lands() -> None:
    pauses = _pauses("a" * 110 + "b", took=0.001)
    assert pauses[:100] == [3.0] * 100
    assert pauses[101:110] == [12.0] * 9
    assert pauses[110] == 3.0


@pytest.mark.parametrize(("took", "pause"), [(0.02, 3.0), (0.1, 10.0), (2.0, 60.0)])
def test_looking_takes_a_hundredth_of_a_core_up_to_a_minute_of_waiting(took: float, pause: float) -> None:
    assert _pauses("aaa", took=took)[1:] == [pause, pause]


def test_whether_a_change_is_over_is_asked_at_once_in_a_large_folder_too() -> None:
    assert _pauses("aabbb", took=0.3) == [3.0, 30.0, 3.0, 30.0, 30.0]
    # Of a folder that never rests the second look is no rule.
    assert _pauses("aabcdef", took=0.3) == [3.0, 30.0, 3.0, 30.0, 30.0, 3.0, 30.0]


def test_fifty_watches_share_the_hundredth_of_a_core() -> None:
    bell = Bell(longest_seconds=60, again_seconds=300)
    assert bell.pause(3.0, took=0.001, watches=1) == 3.0
    assert bell.pause(3.0, took=0.001, watches=50) == 5.0
    assert 50 * 0.001 / bell.pause(3.0, took=0.001, watches=50) <= 0.01


def test_a_watch_counts_as_long_as_it_runs(landing: Path) -> None:
    async def watch() -> list[int]:
        events = [_watch() for _ in range(3)]
        (landing / "2013-03-01.csv").write_text("x")
        for each in events:
            await _next(each)
        counted = [len(inbox_kit._watching)]
        for each in events:
            await each.aclose()  # type: ignore[attr-defined]  # what asyncio does with a trigger that ends
            counted.append(len(inbox_kit._watching))
        return counted

    assert asyncio.run(watch()) == [3, 2, 1, 0]


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRLOOP_HOME", str(tmp_path))
    folder = tmp_path / "landing" / "flight_delays" / "schedule"
    folder.mkdir(parents=True)
    return folder


async def _next(events: AsyncIterator[TriggerEvent]) -> TriggerEvent:
    return await asyncio.wait_for(anext(events), timeout=bound(20))


def _watch() -> AsyncIterator[TriggerEvent]:
    return LandingTrigger("flight_delays", poll_seconds=0.05).run()


def test_a_burst_of_fifty_files_rings_once(landing: Path) -> None:
    async def watch() -> tuple[TriggerEvent, TriggerEvent]:
        events = _watch()
        for number in range(50):
            (landing / f"2013-03-{number:02}.csv").write_text("x")
        first = await _next(events)
        (landing / "one-more.csv").write_text("x")
        return first, await _next(events)

    first, second = asyncio.run(watch())
    assert (first.payload["files"], second.payload["files"]) == (50, 51)


def test_a_replaced_file_rings(landing: Path) -> None:
    async def watch() -> TriggerEvent:
        events = _watch()
        (landing / "2013-03-01.csv").write_text("a")
        await _next(events)
        (landing / "2013-03-01.csv").write_text("longer")
        return await _next(events)

    assert asyncio.run(watch()).payload["files"] == 1


def test_half_written_files_are_not_heard(landing: Path) -> None:
    (landing / "2013-03-01.csv").write_text("x")
    before = LandingTrigger("flight_delays").look()
    (landing / ".2013-03-02.csv.partial").write_text("x")
    assert LandingTrigger("flight_delays").look() == before


def test_a_landing_folder_that_does_not_answer_does_not_end_the_watch(
    landing: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([UpstreamUnavailable("down"), (1, "a"), UpstreamUnavailable("down"), (1, "a")])

    def look(_self: LandingTrigger) -> tuple[int, str]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(inbox_kit.LandingTrigger, "look", look)

    async def watch() -> TriggerEvent:
        return await _next(_watch())

    assert asyncio.run(watch()).payload["files"] == 1
    assert "inbox of flight_delays: down" in caplog.text


def _watch_again() -> AsyncIterator[TriggerEvent]:
    return LandingTrigger("flight_delays", poll_seconds=0.02, again_seconds=0.1).run()


def test_a_ring_that_the_inbox_did_not_answer_comes_again(landing: Path) -> None:
    (landing / "2013-03-01.csv").write_text("x")

    async def watch() -> tuple[TriggerEvent, TriggerEvent]:
        events = _watch_again()
        return await _next(events), await _next(events)

    first, again = asyncio.run(watch())
    assert first.payload == again.payload


def test_a_ring_that_the_inbox_answered_does_not_come_again(landing: Path) -> None:
    (landing / "2013-03-01.csv").write_text("x")

    async def watch() -> TriggerEvent:
        events = _watch_again()
        rung = await _next(events)
        bell_answers.answer("flight_delays", rung.payload["listing"], load_settings())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task := asyncio.ensure_future(anext(events))), timeout=1.5)
        (landing / "2013-03-02.csv").write_text("x")
        return await asyncio.wait_for(task, timeout=bound(20))

    assert asyncio.run(watch()).payload["files"] == 2


def test_the_trigger_survives_serialisation() -> None:
    path, arguments = LandingTrigger("flight_delays", poll_seconds=1.5).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**arguments)
    assert again.serialize() == (path, arguments)
