"""Changed code is a new input of the stages that stand on it, and of no other."""

import shutil
import tomllib
from pathlib import Path

import pytest

from airloop.errors import ConfigError
from airloop.run import code_digest
from airloop.run.stages import STAGES

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "include" / "airloop"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the library that a test may edit."""
    return Path(
        shutil.copytree(
            LIBRARY, tmp_path_factory.mktemp("code") / "airloop", ignore=shutil.ignore_patterns("__pycache__")
        )
    )


def _changed_stages(library: Path, name: str) -> set[str]:
    """The stages that get a new input when a file is added to a package, or a loose module changed."""
    before = {stage: code_digest.digest_of(library, STAGES[stage].package) for stage in STAGES}
    path = library / name
    text = path.read_text() if path.exists() else ""
    path.write_text(text + "# edited\n")
    after = {stage: code_digest.digest_of(library, STAGES[stage].package) for stage in STAGES}
    path.write_text(text)
    return {stage for stage in STAGES if before[stage] != after[stage]}


def test_the_floors_are_those_that_the_contract_keeps() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(
        contract["layers"] for contract in contracts if contract["type"] == "layers" and "containers" in contract
    )
    kept = [{name.strip() for name in floor.split("|")} for floor in layers]
    assert [set(floor) for floor in code_digest.FLOORS] == kept[::-1]


@pytest.mark.parametrize("name", ["pages/site.py", "cli/stages.py", "authoring/search_check.py", "cli/another.py"])
def test_what_no_stage_stands_on_changes_no_input(library: Path, name: str) -> None:
    assert _changed_stages(library, name) == set()


@pytest.mark.parametrize(
    "name", ["errors.py", "settings.py", "stores/lake/tables.py", "records/base.py", "config/feed.py"]
)
def test_what_all_stand_on_changes_every_input(library: Path, name: str) -> None:
    assert _changed_stages(library, name) == set(STAGES)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("gate/judge.py", {"train", "evaluate", "ingest", "score", "monitor", "triage"}),
        ("watch/drift.py", {"train", "decide", "score", "ingest", "build_features"}),
        ("models/tune.py", {"ingest", "validate_raw", "build_features", "materialize"}),
        ("data/ingest.py", {"build_features", "materialize"}),
    ],
)
def test_a_package_changes_its_own_stages_and_those_above(library: Path, name: str, kept: set[str]) -> None:
    changed = _changed_stages(library, name)
    assert {stage for stage, found in STAGES.items() if found.package == name.split("/")[0]} <= changed
    assert changed.isdisjoint(kept)


def test_a_package_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"no package 'gates' \(packages: errors, files, .*gate, "):
        code_digest.floors_of("gates")
