"""A disk that is full in mid-write: one clear error, nothing half-written, and a rerun finishes once there is room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support import landed, toy

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings
from airloop.sources.land_days import land_table
from airloop.sources.land_dialect import Dialect
from airloop.stores import state

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root"),
]

WINDOW = toy.days(0, 10)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def full(disk: Path, *, left: int = 0) -> Iterator[None]:
    """Nothing but `left` KB is free inside."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            file.truncate(max(0, file.tell() - left * 1024))
    yield
    filler.unlink()


def _refusal(stage: str, settings: Settings, window: toy.Window = WINDOW) -> str:
    with pytest.raises(UpstreamUnavailable) as refused:
        toy.run(stage, settings, window)
    return str(refused.value)


@pytest.mark.parametrize("left", [0, 4, 12])
def test_landing_leaves_whole_files_only(toy_settings: Settings, disk: Path, tmp_path: Path, left: int) -> None:
    settings = toy_settings.model_copy(update={"landing_uri": str(disk)})
    pipeline, table = toy.toy_pipeline(settings), tmp_path / "heat.csv"
    rows = [f"m{number},{toy.text(toy.days(day, 99).start)},50" for day in range(10) for number in range(100)]
    table.write_text("\n".join(["machine,measured_at,celsius", *rows]) + "\n")
    with full(disk, left=left):
        with pytest.raises(UpstreamUnavailable, match=r"heat/2020-01-\d\d\.csv cannot be written: .*No space left"):
            land_table(pipeline, "heat", table, Dialect(), settings)
        files = [path for path in disk.rglob("*") if path.is_file() and path.name != "filler"]
        assert all(path.read_text().count("\n") == 101 and not path.name.startswith(".") for path in files)
    done = land_table(pipeline, "heat", table, Dialect(), settings)
    assert (len(done.new), done.unchanged, done.corrections) == (10 - len(files), len(files), ())


@pytest.mark.parametrize("left", [0, 8, 24])
def test_the_lake_keeps_what_it_held(toy_settings: Settings, disk: Path, left: int) -> None:
    toy.land(toy_settings, days=range(10))
    settings = toy_settings.model_copy(update={"lake_uri": str(disk / "lake")})
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, settings, WINDOW)
    before = {layer: landed.rows(settings, layer=layer) for layer in ("raw", "clean")}
    toy.land(settings, days=range(10), shuffled=True, shift=5)
    path = Path(settings.landing_uri) / "toy" / "jobs" / landed.FILE
    path.write_text(path.read_text().replace(",m1,", ",m2,"))
    with full(disk, left=left):
        says = _refusal("ingest", settings)
        assert str(disk / "lake" / "toy" / "raw") in says
        assert "No space left" in says
        held = landed.rows(settings)
        assert landed.rows(settings, layer="clean") == before["clean"]
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, settings, WINDOW)
    fresh = toy_settings.model_copy(update={"lake_uri": str(disk / "fresh"), "state_url": f"sqlite:///{disk}/s.db"})
    toy.run("ingest", fresh, WINDOW)
    assert landed.rows(settings) == landed.rows(fresh)
    assert held in (before["raw"], landed.rows(fresh))


def test_the_report_page_is_whole_or_not_there(toy_settings: Settings, disk: Path) -> None:
    toy.land(toy_settings, days=range(10))
    settings = toy_settings.model_copy(update={"reports_uri": str(disk / "reports")})
    toy.run("ingest", settings, WINDOW)
    with full(disk):
        says = _refusal("validate_raw", settings)
        assert f"{disk}/reports/toy/validation/" in says
        assert "cannot be written: [Errno 28] No space left" in says
        assert [path for path in disk.rglob("*") if path.is_file()] == [disk / "filler"]
        assert landed.versions(settings, "clean")["clean/jobs"] is None
    toy.run("validate_raw", settings, WINDOW)


def test_the_state_database_takes_the_record_or_nothing_of_it(toy_settings: Settings, disk: Path) -> None:
    toy.land(toy_settings, days=range(10))
    settings = toy_settings.model_copy(update={"state_url": f"sqlite:///{disk}/state.db"})
    toy.run("ingest", settings, toy.days(0, 5))
    with full(disk):
        says = _refusal("ingest", settings)
        assert says.startswith("state database ")
        assert "disk" in says
    assert len(state.latest_records(settings, "toy", "ingest")) == 1
    record = toy.run("ingest", settings, WINDOW)
    assert len(state.latest_records(settings, "toy", "ingest")) == 2
    assert {table.rows for table in record.tables if table.table == "jobs"} == {10 * toy.ROWS_A_DAY}


def test_a_training_set_is_frozen_whole_or_not_at_all(toy_built: Settings, disk: Path) -> None:
    snapshots = Path(toy_built.lake_uri) / "toy" / "snapshots"
    snapshots.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", disk, snapshots], check=True)
    try:
        with full(disk):
            says = _refusal("snapshot", toy_built, toy.days(0, 40))
            assert "No space left" in says
            assert str(snapshots) in says
        (disk / "filler").unlink(missing_ok=True)
        assert [path for path in disk.rglob("*") if path.is_file()] == []
        frozen = toy.run("snapshot", toy_built, toy.days(0, 40))
        assert Path(frozen.uri).is_file()
    finally:
        subprocess.run(["umount", "--lazy", snapshots], check=True)


def test_the_online_store_keeps_what_it_held(toy_built: Settings, disk: Path) -> None:
    store = {"type": "sqlite", "path": str(disk / "online.db")}
    settings = toy_built.model_copy(
        update={
            "online_store": store,
            "feast_registry_url": f"sqlite:///{disk.parent}/r.db",
        }
    )
    window = toy.days(0, 45)
    with full(disk):
        assert "full" in _refusal("materialize", settings, window)
    assert toy.run("materialize", settings, window).checked_keys > 0
