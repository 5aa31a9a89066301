"""What a stage depends on is looked up once: it is the key, and what the stage works on."""

from pathlib import Path
from typing import Any

import pytest
from tests.support import toy
from tests.support.triage_months import month

from airloop.data import ingest
from airloop.errors import ConfigError
from airloop.records import Action, Ingested
from airloop.run import stage_run
from airloop.settings import Settings
from airloop.stores import landed_files, ledger, state
from airloop.watch import triage

DAY = toy.days(0, 1)
LOOKED_UP = {"ingest": ingest, "triage": triage}


def meanwhile(monkeypatch: pytest.MonkeyPatch, stage: str, happens: Any) -> None:
    """Let something happen after the stage's look-up and before the stage."""
    look_up = LOOKED_UP[stage].inputs

    def looked_up(*given: Any, **options: Any) -> Any:
        reads = look_up(*given, **options)
        happens()
        return reads

    monkeypatch.setattr(LOOKED_UP[stage], "inputs", looked_up)


def test_a_file_that_lands_after_the_look_up_belongs_to_the_next_run(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.land(toy_settings, days=range(1))
    folder = Path(toy_settings.landing_uri) / "toy" / "jobs"
    whole = (folder / "2020-01-01.csv").read_text()
    correction = folder / "2020-01-01.1.csv"
    with monkeypatch.context() as patch:
        meanwhile(patch, "ingest", lambda: correction.write_text(whole))
        first = toy.run("ingest", toy_settings, DAY)
    second = toy.run("ingest", toy_settings, DAY)
    assert isinstance(first, Ingested)
    assert isinstance(second, Ingested)
    names = [
        {file.uri.rsplit("/", 1)[-1] for file in record.files if file.feed == "jobs"} for record in (first, second)
    ]
    assert names == [{"2020-01-01.csv"}, {"2020-01-01.csv", "2020-01-01.1.csv"}]


def test_bytes_that_change_after_the_look_up_are_not_what_is_read(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.land(toy_settings, days=range(1))
    path = Path(toy_settings.landing_uri) / "toy" / "jobs" / "2020-01-01.csv"
    header = path.read_text().splitlines(keepends=True)[0]
    meanwhile(monkeypatch, "ingest", lambda: path.write_text(header))
    record = toy.run("ingest", toy_settings, DAY)
    assert isinstance(record, Ingested)
    assert next(table.rows for table in record.tables if table.table == "jobs") > 0


def test_every_landed_file_is_read_once(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.land(toy_settings, days=range(1))
    read: list[str] = []
    read_bytes = landed_files.read_bytes

    def counted(uri: str, settings: Settings) -> bytes:
        read.append(uri)
        return read_bytes(uri, settings)

    monkeypatch.setattr(landed_files, "read_bytes", counted)
    record = toy.run("ingest", toy_settings, DAY)
    assert isinstance(record, Ingested)
    assert sorted(read) == sorted(file.uri for file in record.files)


def test_what_is_decided_after_the_look_up_does_not_cool_the_look_down(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    policy = pipeline.monitoring.policy.model_copy(update={"cool_down_days": 30})
    watched = pipeline.monitoring.model_copy(update={"policy": policy})
    pipeline = pipeline.model_copy(update={"monitoring": watched})
    july = month(7, model_name="toy")

    def decide() -> None:
        payload = {"version": 2, "reason_key": "hand:1"}
        ledger.append(toy_settings, "toy", kind="decision", effective_at=july.window.end, payload=payload)

    def run() -> Action:
        upstream = {"monitor": july}
        record = stage_run.run_stage("triage", pipeline, july.window, upstream=upstream, settings=toy_settings)
        assert isinstance(record, Action)
        return record

    with monkeypatch.context() as patch:
        meanwhile(patch, "triage", decide)
        assert run().kind == "retrain"
    assert run().kind == "cooling_down"
    assert len(state.latest_records(toy_settings, "toy", "triage")) == 2


@pytest.mark.parametrize("stage", ["ingest", "score", "monitor"])
def test_nobody_may_give_a_stage_what_it_reads(toy_settings: Settings, stage: str) -> None:
    with pytest.raises(ConfigError, match="reads"):
        toy.run(stage, toy_settings, DAY, reads={})


@pytest.mark.parametrize("stage", ["ingest", "tune", "train", "evaluate", "score", "monitor", "triage"])
def test_a_stage_with_a_look_up_works_on_it(stage: str) -> None:
    assert stage_run.STAGES[stage].works_on_reads
