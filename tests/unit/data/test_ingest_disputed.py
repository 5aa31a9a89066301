"""Two rows of one file that share a key and differ: nothing says which one is meant, so none of them is believed."""

from pathlib import Path

import pytest
from tests.support import landed, toy
from tests.support.landed import FILE
from tests.support.run_plainly import run_plainly

from airloop.config import Feed
from airloop.data import quarantine, quarantine_release
from airloop.data.file_rows import parse
from airloop.data.ingest import ingest
from airloop.data.unreadable_rows import RULE, explain, texts_of
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Ingested
from airloop.settings import Settings

COLUMNS = {"id": "string", "at": "timestamp", "size": "integer", "heat": "float", "ok": "boolean"}
FEED = Feed(files="{day}.csv", key=("id",), event_time="at", columns=COLUMNS)
HEADER = "id,at,size,heat,ok"
GOOD = "a,2020-01-01T00:00:00Z,1,0.5,true"


def _ingest(settings: Settings) -> Ingested:
    return run_plainly(ingest, Deployment(toy.toy_pipeline(settings), settings), toy.days(0, 1))


def _content(*lines: str) -> bytes:
    return ("\n".join([HEADER, *lines]) + "\n").encode()


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        pytest.param([GOOD, GOOD.replace("0.5", "0.6")], ["twice id"] * 2, id="another value"),
        pytest.param([GOOD, GOOD.replace("0.5", "")], ["twice id"] * 2, id="no value"),
        pytest.param([GOOD, GOOD.replace("0.5", "x")], ["twice id", "type of heat; twice id"], id="no number"),
        pytest.param([GOOD, GOOD.replace("0.5", "0.50")], [None] * 2, id="another spelling"),
        pytest.param([GOOD[1:], GOOD[1:].replace("0.5", "0.6")], [None] * 2, id="no key"),
    ],
)
def test_rows_of_one_key_that_differ_are_all_marked_because_nothing_says_which_one_is_meant(
    lines: list[str], rules: list[str | None]
) -> None:
    rows = parse(FILE, _content(*lines, GOOD.replace("a,", "b,")), FEED, span=None, max_bad_share=1)
    assert rows[RULE].to_list() == [*rules, None]


def test_a_disputed_key_is_named_with_its_line() -> None:
    with pytest.raises(DataContractError, match="2 of 2 rows cannot be read") as refused:
        parse(FILE, _content(GOOD, GOOD.replace("0.5", "1")), FEED, span=None, max_bad_share=0)
    assert str(refused.value).endswith(
        "line 2, column 'id': 'a' stands in another line too, with other values; keep the line that is right"
    )


def test_rows_that_dispute_a_key_are_all_kept_until_a_correction_settles_it(toy_settings: Settings) -> None:
    landed.put(
        toy_settings, FILE, [*(landed.job(f"g{n}") for n in range(60)), landed.job("a"), landed.job("a", size=2)]
    )
    _ingest(toy_settings)
    assert [row["_rule"] for row in landed.rows(toy_settings, layer="unreadable")] == ["twice job"] * 2
    assert len(landed.sizes(toy_settings)) == 60
    landed.put(toy_settings, "2020-01-01.1.csv", [landed.job("a", size=2)])
    _ingest(toy_settings)
    assert landed.rows(toy_settings, layer="unreadable") == []
    assert (len(landed.sizes(toy_settings)), landed.sizes(toy_settings)["a"]) == (61, 2)


def test_a_key_of_several_columns_may_be_disputed_too(toy_settings: Settings) -> None:
    heat = [f"m{number},2020-01-01T00:00:00Z,1" for number in range(60)]
    landed.put(toy_settings, FILE, [*heat, "m0,2020-01-01T00:00:00Z,2"], feed="heat")
    _ingest(toy_settings)
    found = landed.rows(toy_settings, "heat", layer="unreadable")
    assert [(row["celsius"], row["_rule"]) for row in found] == [
        (1.0, "twice machine+measured_at"),
        (2.0, "twice machine+measured_at"),
    ]
    assert explain(toy.toy_pipeline(toy_settings).feeds["heat"], found[0]["_rule"], texts_of(found[0])).startswith(
        "column 'machine+measured_at': 'm0', '2020-01-01T00:00:00Z' stands in another line too"
    )


def test_a_disputed_key_goes_through_validation_into_quarantine_and_comes_back_when_it_is_settled(
    toy_settings: Settings, tmp_path: Path
) -> None:
    toy.land(toy_settings, days=range(1))
    landed.put(
        toy_settings, FILE, [*(landed.job(f"g{n}") for n in range(60)), landed.job("a"), landed.job("a", size=2)]
    )
    pipeline = toy.toy_pipeline(toy_settings)
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, toy_settings, toy.days(0, 1))
    assert [(row.key, row.values["size"]) for row in quarantine.list_rows(pipeline, toy_settings)] == [
        ({"job": "a"}, "1"),
        ({"job": "a"}, "2"),
    ]
    repaired = tmp_path / "repaired.csv"
    repaired.write_text(f"job,machine,planned_at,starts_at,size\n{landed.job('a', size=2)}\n")
    quarantine_release.release(pipeline, "jobs", repaired, toy_settings)
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, toy_settings, toy.days(0, 1))
    assert quarantine.list_rows(pipeline, toy_settings) == []
    assert landed.sizes(toy_settings, layer="clean")["a"] == 2
