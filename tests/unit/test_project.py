"""The project is where one works, not where the library lies."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airloop import project
from airloop.config import load_pipeline
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings

CLONE = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _outside_airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AIRFLOW_HOME", "AIRFLOW__CORE__DAGS_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    before = list(sys.path)
    yield
    sys.path[:] = before


def laid_out(folder: Path) -> Path:
    (folder / "feature_repo").mkdir(parents=True)
    (folder / "feature_repo" / "feature_store.yaml").touch()
    (folder / "include" / "pipelines").mkdir(parents=True)
    return folder


def marked(folder: Path, text: str = "[tool.airloop]\n") -> Path:
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(text)
    return folder


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A working directory, as if the library were installed and no clone."""
    monkeypatch.setattr(project, "__file__", str(tmp_path / "site-packages" / "airloop" / "project.py"))
    (tmp_path / "work" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "below")
    return tmp_path / "work"


@pytest.mark.parametrize("make", [laid_out, marked])
def test_the_nearest_project_above_the_working_directory_is_it(
    make: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = make(tmp_path / "outer")  # type: ignore[operator]
    inner = make(outer / "inner")  # type: ignore[operator]
    (inner / "include" / "deep").mkdir(parents=True)
    monkeypatch.chdir(inner / "include" / "deep")
    assert load_settings().project_dir == inner
    assert load_settings().home == inner / ".airloop"
    monkeypatch.chdir(outer)
    assert load_settings().project_dir == outer


def test_a_variable_names_another_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(laid_out(tmp_path / "here"))
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(tmp_path / "there"))
    assert load_settings().project_dir == tmp_path / "there"


@pytest.mark.parametrize("text", ["[tool.black]\n", "[tool.airloop\n", "tool = 'airloop'\n", "[airloop]\n"])
def test_another_pyproject_is_no_project_of_ours(text: str, tmp_path: Path) -> None:
    assert not project.is_project(marked(tmp_path / "other", text))


def test_half_a_layout_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "include" / "pipelines").mkdir(parents=True)
    assert not project.is_project(tmp_path)


def test_airflow_started_elsewhere_finds_the_project_of_its_dags(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = laid_out(tmp_path / "theirs")
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(theirs / "dags"))
    assert load_settings().project_dir == theirs
    monkeypatch.delenv("AIRFLOW__CORE__DAGS_FOLDER")
    monkeypatch.setenv("AIRFLOW_HOME", str(theirs))
    assert load_settings().project_dir == theirs


def test_where_no_project_is_one_line_says_the_ways_out(alone: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings()
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{alone / 'below'}: no airloop project is here or above")
    assert all(way in line for way in ("AIRLOOP_PROJECT_DIR", "airloop init DIR", "[tool.airloop]"))
    assert load_settings(project_dir=alone).project_dir == alone


def test_the_clone_is_the_project_of_its_own_command_from_anywhere(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRLOOP_")}
    code = "from airloop.settings import load_settings; print(load_settings().project_dir)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=kept, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(CLONE)


def test_a_declarations_own_modules_are_importable_and_shadow_nothing(toy_settings: Settings) -> None:
    include = toy_settings.project_dir / "include"
    (include / "only_here_of_toy.py").write_text("ANSWER = 42\n")
    (include / "json").mkdir()
    (include / "json" / "__init__.py").write_text("raise AssertionError('shadowed')\n")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("only_here_of_toy")
    load_pipeline("toy", toy_settings)
    load_pipeline("toy", toy_settings)
    assert importlib.import_module("only_here_of_toy").ANSWER == 42
    assert importlib.import_module("json").dumps({}) == "{}"
    assert sys.path.count(str(include)) == 1
