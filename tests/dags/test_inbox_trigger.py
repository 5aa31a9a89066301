"""The bell: one ring per burst, and none is lost."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from airflow.triggers.base import TriggerEvent

from airloop.data import bell_answers
from airloop.errors import UpstreamUnavailable
from airloop.settings import load_settings
from airloop_airflow import bell as inbox_kit
from airloop_airflow.bell import Bell, LandingTrigger


def _rings(listings: str, *, longest_polls: int = 20) -> str:
    """Listings, one letter a poll ('-' is an empty folder), to '!' where the bell rings."""
    bell = Bell(longest_polls=longest_polls, again_polls=1000)
    return "".join("!" if bell.hears("" if letter == "-" else letter) else "." for letter in listings)


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
    assert _rings("abcdefghij", longest_polls=4) == "...!...!.."


@pytest.mark.parametrize(
    ("listings", "asks"),
    [
        ("aaaaaaaaaa", "....?..?.."),
        ("aaaaabbbbb", "....?....?"),
        ("----------", ".........."),
        ("aababababa", ".....?...?"),
    ],
    ids=["rung and quiet", "rung for another", "empty", "unrest"],
)
def test_every_so_many_quiet_polls_after_a_ring_it_is_time_to_ask(listings: str, asks: str) -> None:
    bell = Bell(longest_polls=20, again_polls=3)
    heard = []
    for letter in listings:
        bell.hears("" if letter == "-" else letter)
        heard.append("?" if bell.is_time_to_ask() else ".")
    assert "".join(heard) == asks


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRLOOP_HOME", str(tmp_path))
    folder = tmp_path / "landing" / "flight_delays" / "schedule"
    folder.mkdir(parents=True)
    return folder


async def _next(events: AsyncIterator[TriggerEvent]) -> TriggerEvent:
    return await asyncio.wait_for(anext(events), timeout=20)


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
        return await asyncio.wait_for(task, timeout=20)

    assert asyncio.run(watch()).payload["files"] == 2


def test_the_trigger_survives_serialisation() -> None:
    path, arguments = LandingTrigger("flight_delays", poll_seconds=1.5).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**arguments)
    assert again.serialize() == (path, arguments)
