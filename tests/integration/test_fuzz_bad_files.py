"""A thousand spoiled files: each line is in clean, in quarantine or in a file set aside; repaired, all is well."""

import csv
import hashlib
import io
import random
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.support import landed, toy
from tests.support.bad_files import SPOILED

from airloop.data import quarantine
from airloop.records import Ingested
from airloop.records.digests import digest
from airloop.settings import Settings

pytestmark = pytest.mark.integration

DAYS, ROWS = 50, 6
WINDOW = toy.days(0, DAYS)
FEEDS = {"jobs": "planned_at", "heat": "measured_at"}
REPOSITORY = Path(__file__).resolve().parents[2]


def _whole(feed: str, day: int) -> bytes:
    """A file of which every line can be told from every other by its key."""
    times = [toy.text(toy.START + (WINDOW.end - WINDOW.start) / DAYS * (day + row / 10)) for row in range(ROWS)]
    if feed == "jobs":
        lines = [f"j{day}-{row},m{row},{time},2020-06-01T00:00:00Z,{row}" for row, time in enumerate(times)]
        return ("\n".join(["job,machine,planned_at,starts_at,size", *lines]) + "\n").encode()
    return ("\n".join(["machine,measured_at,celsius", *(f"m{day},{time},1.5" for time in times)]) + "\n").encode()


def _name(day: int) -> str:
    return f"{toy.days(day, 99).start:%Y-%m-%d}.csv"


def _project(folder: Path) -> Settings:
    settings = toy.write_project(folder / "whole", REPOSITORY)
    # A wide bound: windows that are refused as a whole have tests of their own.
    wide = "max_bad_share: 0.5, max_set_aside_share: 1, max_missing_share: 1, max_lost_share: 1"
    settings = toy.edited(settings, folder / "wide", "pipeline.yaml", "max_bad_share: 0.05", wide)
    landed.put(settings, "machines.csv", ["m0,2000"], feed="machines")
    return settings


def _put(settings: Settings, spoils: list[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
    contents = {}
    for number, (spoil, seed) in enumerate(spoils):
        feed, day = list(FEEDS)[number % 2], number // 2
        contents[feed, day] = SPOILED[spoil](_whole(feed, day), random.Random(seed))
        landed.put_bytes(settings, _name(day), contents[feed, day], feed=feed)
    return contents


def _run(settings: Settings) -> Ingested:
    record = toy.run("ingest", settings, WINDOW)
    toy.run("validate_raw", settings, WINDOW)
    return record


def _records(content: bytes) -> Counter[tuple[str, ...]]:
    """Lines of a file by another reader than ours; lines that say the same are one."""
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    header, *rows = [row for row in csv.reader(text) if row]
    places = sorted(range(len(header)), key=lambda place: header[place])
    return Counter({tuple(row[place] for place in places): 1 for row in rows})


def _held(settings: Settings, feed: str) -> dict[int, Counter[tuple[str, ...]]]:
    """Rows of clean and quarantine by day, as texts in the order of the columns' names."""
    declared = toy.toy_pipeline(settings).feeds[feed]
    found: dict[int, Counter[tuple[str, ...]]] = {day: Counter() for day in range(DAYS)}
    for layer in ("clean", "quarantine"):
        for row in landed.rows(settings, feed, layer=layer):
            texts = quarantine.as_landed(declared, row)
            at: datetime = row[FEEDS[feed]]
            found[(at - WINDOW.start).days][tuple(texts[name] or "" for name in sorted(texts))] += 1
    return found


def _typed(records: Counter[Any]) -> Counter[Any]:
    """Numbers and instants in one spelling."""
    return Counter({tuple(_spelled(cell) for cell in record): count for record, count in records.items()})


def _spelled(cell: str) -> str:
    # A year that lost a digit is still a year: 020-06-01 lies in the year 20.
    plain = re.sub(r"^\d{1,4}(?=-)", lambda year: year[0].zfill(4), cell.strip())
    for read in (float, datetime.fromisoformat):
        try:
            return str(read(plain))
        except ValueError:
            continue
    return cell


def _clean(settings: Settings) -> str:
    return digest({feed: landed.rows(settings, feed, layer="clean") for feed in FEEDS})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    settings = _project(tmp_path_factory.mktemp("whole"))
    _put(settings, [("as it should be", 0)] * 2 * DAYS)
    _run(settings)
    return _clean(settings)


# One whole file of each feed: a window in which nothing can be read is refused, and tested elsewhere.
SPOILS = st.lists(st.tuples(st.sampled_from(list(SPOILED)), st.integers(0, 10**6)), min_size=98, max_size=98)


# Not shrunk: each try takes seconds, and the file that is wrong is named as it is.
@examples(max_examples=11, phases=[Phase.generate])
@given(spoils=SPOILS)
def test_of_a_thousand_spoiled_files_no_line_is_lost_or_doubled_and_a_repaired_second_try_gives_what_whole_files_give(
    spoils: list[tuple[str, int]], undisturbed: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = _project(tmp_path_factory.mktemp("spoiled"))
    contents = _put(settings, [("as it should be", 0)] * 2 + spoils)
    record = _run(settings)
    aside = {(item.feed, item.uri.rsplit("/", 1)[-1]): item for item in record.set_aside}
    for feed in FEEDS:
        held = _held(settings, feed)
        for day in range(DAYS):
            content = contents[feed, day]
            if (item := aside.get((feed, _name(day)))) is not None:
                assert item.sha256 == hashlib.sha256(content).hexdigest()
                assert f"{feed}/{_name(day)}: " in item.why
                assert held[day] == Counter()
            elif b'"' in content:
                assert held[day].total() == _records(content).total()
            else:
                assert _typed(held[day]) == _typed(_records(content))
    _put(settings, [("as it should be", 0)] * 2 * DAYS)
    assert _run(settings).set_aside == ()
    assert _clean(settings) == undisturbed
    assert quarantine.list_rows(toy.toy_pipeline(settings), settings) == []


def test_most_of_the_spoiled_files_are_set_aside_or_lose_rows_to_quarantine(tmp_path: Path) -> None:
    settings = _project(tmp_path)
    names = list(SPOILED)
    _put(settings, [("as it should be", 0)] * 2 + [(names[number % len(names)], number) for number in range(98)])
    record = _run(settings)
    assert len(record.set_aside) > 40
    assert len(quarantine.list_rows(toy.toy_pipeline(settings), settings)) > 15
