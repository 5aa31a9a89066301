"""Whatever a refused, killed or cancelled run leaves behind, every page opens and says what is known."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.support import pages_stand, toy

from airloop.pages.app import Airflow, Run, create
from airloop.records import Validated, Window
from airloop.settings import Settings
from airloop.stores import ledger, state, tables

REPOSITORY = Path(__file__).resolve().parents[3]
WINDOW = toy.days(2, 3)
RUN_ID = "manual__1"
STAGES = (
    *("extract", "ingest", "validate_raw", "build_features", "validate_features", "profile", "materialize"),
    *("snapshot", "tune", "train", "evaluate", "decide", "describe", "refit", "promote", "score", "monitor", "triage"),
)
State = Callable[[Settings], Run | None]


def _marked(settings: Settings, window: Window) -> None:
    """As a kill leaves it: every stage had begun and stored nothing."""
    for stage in STAGES:
        state.mark_started(settings, "toy", stage, input_key=f"killed{stage}", window=window)


def killed_in_a_window_with_records(settings: Settings) -> None:
    _marked(settings, WINDOW)


def killed_in_a_new_window(settings: Settings) -> None:
    _marked(settings, toy.days(3, 4))


def killed_in_a_new_home(settings: Settings) -> None:
    with state.transaction(settings) as connection:
        connection.execute(sa.delete(tables.stage_runs))
    _marked(settings, WINDOW)


def refused_window(settings: Settings) -> None:
    window = toy.days(3, 4)
    pages_stand.save(settings, "validate_raw", window, Validated(window, "raw", (), (), "uri"))


def records_of_an_older_airloop(settings: Settings) -> None:
    for stage in STAGES:
        if stage not in ("train", "snapshot", "evaluate", "tune"):
            window = toy.days(4, 5)
            state.save_record(settings, "toy", stage, input_key=f"old{stage}", window=window, record={})


def an_entry_of_an_unknown_kind(settings: Settings) -> None:
    pages_stand.append(settings, "triage", WINDOW.end, {"kind": "later", "evidence": None, "why": "x"})
    with state.transaction(settings) as connection:
        connection.execute(
            sa.update(tables.ledger_entries).where(tables.ledger_entries.c.kind == "triage").values(kind="vote")
        )


def _asked(conf: dict[str, Any], results: Any = None, partition: datetime | None = None) -> State:
    return lambda _settings: Run(results or {}, conf, partition)


RUNS = {
    "without a window": _asked({}),
    "junk": _asked({"start": "junk", "end": "later"}),
    "numbers": _asked({"start": 5, "end": [1]}),
    "reversed": _asked({"start": "2020-01-03T00:00:00Z", "end": "2020-01-02T00:00:00Z"}),
    "far away": _asked({"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T00:00:00Z"}),
    "out of range": _asked({"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T00:00:00-14:00"}),
    "no calendar period": _asked({"start": "2020-01-02T00:00:01Z", "end": "2020-01-02T07:00:00.5Z"}),
    "cancelled with a word": _asked({}, {"ingest": ["cancelled", None, 5]}),
    "a record of another kind": _asked({}, {"ingest": [{"window": "2020"}, {"window": {"start": 1, "end": 2}}]}),
    "a partition": _asked({}, None, datetime(2020, 1, 3, tzinfo=UTC)),
    "a decision that is none": _asked({"sequence": "x"}, {"decide": [{"sequence": None}]}),
    "a decision far away": _asked({"sequence": 10**30}),
}  # fmt: skip
STATES = (
    killed_in_a_window_with_records,
    killed_in_a_new_window,
    killed_in_a_new_home,
    refused_window,
    records_of_an_older_airloop,
    an_entry_of_an_unknown_kind,
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = toy.write_project(tmp_path / "project", REPOSITORY)
    pages_stand.remember(settings)
    pages_stand.write_report(settings, "validation", "raw", window=WINDOW)
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(settings.home))
    return settings


def _open(address: str, run: Run | None) -> httpx.Response:
    app = create(Airflow(lambda: "ann", lambda _user, _dag_id: True, lambda _dag_id, _run_id: run))

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages") as client:
            return await client.get(address)

    return asyncio.run(answer())


def _statuses(run: Run | None = None) -> dict[str, int]:
    plain = Run({"ingest": [{"window": WINDOW.to_json()}]}, {}, None)
    addresses = pages_stand.routes(WINDOW, RUN_ID).values()
    return {address: _open(address, run or plain).status_code for address in addresses}


@pytest.mark.parametrize("make", STATES, ids=lambda make: make.__name__)
def test_every_page_opens_over_what_a_run_left(settings: Settings, make: State) -> None:
    make(settings)
    assert {address: status for address, status in _statuses().items() if status != 200} == {}


@pytest.mark.parametrize("group", ["data", "scoring", "monitoring", "training", "promotion", "inbox", "other"])
@pytest.mark.parametrize("name", RUNS)
def test_the_page_of_a_run_opens_whatever_it_was_asked_for(settings: Settings, name: str, group: str) -> None:
    assert _open(f"/dags/toy__{group}/runs/x", RUNS[name](settings)).status_code == 200


@pytest.mark.parametrize(
    ("bounds", "status"),
    [
        ("20200227T000000Z/20200228T000000Z", 200),
        ("00010101T000000Z/99991231T000000Z", 404),
        ("20200102T000000Z/20200102T000001Z", 404),
        ("20500101T000000Z/20510101T000000Z", 404),
    ],
)
def test_the_page_of_a_window_nobody_ran_opens_and_of_none_is_refused(
    settings: Settings, bounds: str, status: int
) -> None:
    assert _open(f"/pipelines/toy/windows/{bounds}", None).status_code == status


@pytest.mark.parametrize("text", ["name: [toy", "name: toy\n", "", "calender: daily\n"])
def test_a_broken_declaration_is_said_on_every_page_of_it_and_breaks_no_list(settings: Settings, text: str) -> None:
    declared = settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared.write_text(text)
    for address, status in _statuses().items():
        assert status in (200, 404)
        if address.startswith(("/pipelines", "/dags")):
            assert str(declared) in _open(address, Run({}, {}, None)).text
    assert "pipeline.yaml" in _open("/", None).text


def test_a_pipeline_that_was_removed_is_no_page_and_breaks_no_list(settings: Settings) -> None:
    (settings.pipelines_dir / "toy" / "pipeline.yaml").unlink()
    statuses = _statuses()
    assert {statuses[address] for address in ("/", "/features")} == {200}
    assert set(statuses.values()) <= {200, 403, 404}


def test_a_changed_ledger_is_said_and_breaks_no_page(settings: Settings) -> None:
    first = tables.ledger_entries.c.sequence == 1
    with state.transaction(settings) as connection:
        payload = json.loads(connection.execute(sa.select(tables.ledger_entries.c.payload).where(first)).scalar_one())
        changed = json.dumps(payload | {"why": "somebody else's"})
        connection.execute(sa.update(tables.ledger_entries).where(first).values(payload=changed))
    assert ledger.verify(settings, "toy") != []
    assert set(_statuses().values()) == {200}
    assert "The chain does not hold" in _open("/pipelines/toy/ledger", None).text
