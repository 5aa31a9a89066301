"""The documents as a site: the reference names every key, command and setting, and a dead link fails the build."""

import importlib.util
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer

from airloop import cli
from airloop.config import Pipeline
from airloop.settings import Settings
from airloop.stores import ledger

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def site() -> Any:
    spec = importlib.util.spec_from_file_location("site_of_docs", ROOT / "docs" / "site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(site) -> dict[str, str]:
    return site.pages()


def unlisted(root: Path) -> list[str]:
    """Documents that the site's navigation does not name: no reader comes by them."""
    navigation = (root / "zensical.toml").read_text(encoding="utf-8")
    names = (path.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("*.md"))
    return sorted(name for name in names if f'"{name}"' not in navigation)


def shared_numbers(root: Path) -> list[str]:
    """Numbers that several decisions have."""
    numbers = Counter(path.name[:4] for path in (root / "docs" / "adr").glob("*.md"))
    return sorted(number for number, count in numbers.items() if count > 1)


def test_the_navigation_names_every_document_and_a_decision_has_a_number_of_its_own(tmp_path):
    assert unlisted(ROOT) == []
    assert shared_numbers(ROOT) == []
    shutil.copytree(ROOT / "docs" / "adr", tmp_path / "docs" / "adr")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    (tmp_path / "docs" / "adr" / "0001-planted.md").touch()
    assert unlisted(tmp_path) == ["adr/0001-planted.md"]
    assert shared_numbers(tmp_path) == ["0001"]


def test_the_reference_names_every_key_of_pipeline_yaml(pages):
    schema = Pipeline.model_json_schema()
    nodes = [schema, *(node for node in schema["$defs"].values() if "properties" in node)]
    for node in nodes:
        for key in node["properties"]:
            assert f"| `{key}` |" in pages["reference/pipeline.md"]


def test_the_reference_names_every_setting_with_its_meaning(pages):
    lines = pages["reference/settings.md"].splitlines()
    for name in Settings.model_fields:
        row = next(line for line in lines if line.startswith(f"| `AIRLOOP_{name.upper()}` |"))
        assert len(row.split("|")[2].strip()) > 10


def test_the_reference_names_every_command(pages):
    def commands(node: Any, words: tuple[str, ...]) -> list[str]:
        children = getattr(node, "commands", {})
        return [" ".join(words)] if not children else [c for n, k in children.items() for c in commands(k, (*words, n))]

    for command in commands(typer.main.get_command(cli.app), ("airloop",)):
        assert f"## {command}\n" in pages["reference/commands.md"]


def test_the_reference_names_every_kind_of_ledger_entry(pages):
    for kind in ledger.KINDS:
        assert f"| `{kind}` |" in pages["reference/ledger.md"]


@pytest.mark.parametrize(("text", "code"), [("[there](concepts.md)", 0), ("[nowhere](no_such_page.md)", 1)])
def test_a_link_that_leads_nowhere_fails_the_build(tmp_path, text, code):
    for name in ("docs", "README.md"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    with (tmp_path / "docs" / "concepts.md").open("a") as page:
        page.write(f"\n{text}\n")
    command = [sys.executable, str(tmp_path / "docs" / "site.py")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (result.returncode, "page does not exist" in result.stderr) == (code, code == 1)
