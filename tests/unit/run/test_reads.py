"""What a stage depends on is looked up once: it is the key, and what the stage works on."""

import functools
import shutil
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from tests.support import toy
from tests.support.run_plainly import judged, run_plainly
from tests.support.triage_months import month

from airloop.data import ingest
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.features import build_features
from airloop.models import snapshot
from airloop.records import Action, BuiltFeatures, Ingested, Record, Scored, Snapshot
from airloop.run import stage_run
from airloop.run.stages import STAGES
from airloop.serving import score
from airloop.settings import Settings
from airloop.stores import landed_files, ledger, state
from airloop.watch import triage

DAY = toy.days(0, 1)
LOOKED_UP: dict[str, Any] = {
    "ingest": ingest,
    "build_features": build_features,
    "snapshot": snapshot,
    "score": score,
    "triage": triage,
}


def meanwhile(monkeypatch: pytest.MonkeyPatch, stage: str, happens: Any) -> None:
    """Let something happen after the stage's look-up and before the stage."""
    look_up = LOOKED_UP[stage].inputs

    @functools.wraps(look_up)
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


@pytest.mark.parametrize("stage", ["build_features", "snapshot", "score"])
def test_rows_that_are_written_after_the_look_up_belong_to_the_next_run(
    toy_trained: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    window = {"snapshot": toy.days(0, 40)}.get(stage, toy.days(41, 42))
    settings = toy_trained.model_copy(update={"lake_uri": str(tmp_path / "lake")})
    shutil.copytree(toy_trained.lake_uri, settings.lake_uri)
    at = Deployment(toy.toy_pipeline(settings), settings)
    given = {"raw": judged(window)} if stage == "build_features" else {}
    whole = run_plainly(STAGES[stage].function(), at, window, **given)
    with monkeypatch.context() as patch:
        meanwhile(patch, stage, lambda: _emptied(settings))
        assert _counts(run_plainly(STAGES[stage].function(), at, window, **given)) == _counts(whole)
    try:
        after = _counts(run_plainly(STAGES[stage].function(), at, window, **given))
    except (DataContractError, UpstreamUnavailable):
        return
    assert after != _counts(whole)


def _emptied(settings: Settings) -> None:
    for layer in ("clean", "features"):
        for folder in (Path(settings.lake_uri) / "toy" / layer).iterdir():
            DeltaTable(str(folder)).delete()


def _counts(record: Record) -> Any:
    match record:
        case BuiltFeatures():
            return [view.rows for view in record.views], record.examples
        case Snapshot():
            return record.digest
        case Scored():
            return record.rows
    raise AssertionError(record)


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
        record = stage_run.run_stage("triage", Deployment(pipeline, toy_settings), july.window, upstream=upstream)
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
