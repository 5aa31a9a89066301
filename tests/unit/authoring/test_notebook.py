"""A training set for a notebook: what a training would freeze, and no trace of having looked."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from tests.support import toy

import airloop
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.models import training_set
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.mlflow import tracking
from airloop_platform import cli

CUTOFF = "2020-02-10T00:00:00Z"


@pytest.fixture
def here(toy_built: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment a notebook would have."""
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_built.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_built.home))
    return toy_built


@pytest.fixture
def command(here: Settings, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main(("snapshot", *arguments))
        return (left.value.code, *capsys.readouterr())

    return call


def written(settings: Settings) -> dict[str, int]:
    """Every file of the lake and of MLflow, with its size."""
    roots = [Path(settings.lake_uri), Path(settings.mlflow_artifact_uri)]
    return {str(path): path.stat().st_size for root in roots for path in root.rglob("*") if path.is_file()}


def runs(settings: Settings) -> int:
    experiment = tracking.experiment_id(toy.toy_pipeline(settings), settings)
    return len(tracking.client(settings).search_runs([experiment]))


def test_the_frame_is_the_one_a_training_of_this_cutoff_freezes(here: Settings) -> None:
    frame = airloop.training_frame("toy", cutoff=CUTOFF)
    frozen = toy.run("snapshot", here, toy.days(0, 40))
    assert training_set.frame_digest(frame) == frozen.digest
    pd.testing.assert_frame_equal(frame, training_set.read_snapshot(frozen, here))
    assert list(frame.columns) == ["job", "decision_time", "machine_code", "job_size", "celsius", "label", "part"]


def test_a_datetime_is_as_good_as_its_text(here: Settings) -> None:
    of_text = airloop.training_frame("toy", cutoff=CUTOFF)
    assert of_text.equals(airloop.training_frame("toy", cutoff=datetime.fromisoformat(CUTOFF)))


def test_looking_leaves_no_run_no_version_no_ledger_entry_and_no_file(here: Settings) -> None:
    before = (written(here), runs(here))
    airloop.training_frame("toy", cutoff="2020-02-09T00:00:00Z")
    assert (written(here), runs(here)) == before
    assert ledger.entries(here, "toy") == ()
    assert tracking.client(here).search_model_versions("name = 'toy'") == []


@pytest.mark.parametrize(
    ("pipeline", "cutoff", "error", "says"),
    [
        ("toi", CUTOFF, ConfigError, "unknown pipeline 'toi'.*did you mean 'toy'"),
        ("toy", "2020-02-10T00:00:00", DataContractError, "'2020-02-10T00:00:00' has no UTC offset"),
        ("toy", datetime(2020, 2, 10), DataContractError, "'2020-02-10T00:00:00' has no UTC offset"),
        ("toy", "soon", DataContractError, "'soon' is not an ISO 8601 instant"),
        ("toy", "2020-02-20T00:00:00Z", UpstreamUnavailable, "not built and validated from 2020-02-15T00:00Z"),
        ("toy", "2020-01-02T00:00:00Z", DataContractError, "leaves no training rows"),
    ],
)
def test_what_cannot_be_made_is_refused(
    here: Settings, pipeline: str, cutoff: str | datetime, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        airloop.training_frame(pipeline, cutoff=cutoff)


def test_a_column_that_looks_ahead_is_refused_as_in_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = toy.write_project(tmp_path / "project", Settings().project_dir)
    path = settings.pipelines_dir / "toy" / "features.sql"
    ahead = "SELECT machine, lead(celsius) OVER (PARTITION BY machine ORDER BY known_at) AS celsius, known_at,"
    path.write_text(path.read_text().replace("SELECT machine, celsius, known_at,", ahead))
    toy.land(settings, days=range(20))
    toy.run_data(settings, toy.days(0, 20))
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(settings.home))
    with pytest.raises(DataContractError, match="leak: feature 'celsius'"):
        airloop.training_frame("toy", cutoff="2020-01-21T00:00:00Z")


def test_importing_airloop_imports_nothing_that_python_does_not_bring() -> None:
    code = "import sys; before = set(sys.modules); import airloop; print(*set(sys.modules) - before)"
    include = Settings().project_dir / "include"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=include)
    imported = {name for name in found.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert imported == {"airloop"}


def test_airloop_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="module 'airloop' has no attribute 'training_fame'"):
        _ = airloop.training_fame


def test_the_command_writes_the_set_and_says_how_to_get_it_in_a_notebook(
    here: Settings, command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    output = tmp_path / "toy.parquet"
    code, said, _ = command("toy", "--cutoff", CUTOFF, "--output", str(output))
    frame = airloop.training_frame("toy", cutoff=CUTOFF)
    assert code == 0
    assert pd.read_parquet(output).equals(frame)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["toy.parquet"]
    assert "train     1,380 rows decided in [2020-01-01T00:00Z, 2020-01-24T00:00Z), label rate 0." in said
    assert "holdout   900 rows decided in [2020-01-25T00:00Z, 2020-02-09T00:00Z)" in said
    assert f"digest    {training_set.frame_digest(frame)}" in said
    assert "features  3: machine_code, job_size, celsius" in said
    assert f"written   {output}" in said
    lines = [line.strip() for line in said.splitlines()]
    assert f"frame = airloop.training_frame('toy', cutoff='{CUTOFF}')" in lines
    assert lines[-1] == f"frame = pandas.read_parquet('{output}')"


def test_without_an_output_the_set_goes_below_the_home(
    here: Settings, command: Callable[..., tuple[int, str, str]]
) -> None:
    for _ in range(2):
        assert command("toy", "--cutoff", CUTOFF)[0] == 0
    (path,) = (here.home / "training_sets").iterdir()
    assert len(pd.read_parquet(path)) == 2280


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("toi", "--cutoff", CUTOFF), "did you mean 'toy'"),
        (("toy", "--cutoff", "2020-02-10T00:00:00"), "has no UTC offset"),
        (("toy", "--cutoff", CUTOFF, "--output", "toy.csv"), "name it toy.parquet"),
        (("toy", "--cutoff", CUTOFF, "--output", "no/such/toy.parquet"), "there is no folder"),
    ],
)
def test_a_refused_command_is_one_line(
    command: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], says: str
) -> None:
    code, said, error = command(*arguments)
    assert (code, said, len(error.splitlines())) == (1, "", 1)
    assert says in error
