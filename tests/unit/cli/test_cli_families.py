"""`airloop list`: every variant with its help and options; a family nobody has is named with the nearest."""

from pathlib import Path
from typing import get_args

import pytest
from tests.support import toy_own
from tests.support.command import Airloop, in_checkout

from airloop.cli.families import FAMILIES
from airloop.config import TaskKind
from airloop.settings import Settings, load_settings


@pytest.fixture
def airloop(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Airloop:
    return in_checkout(toy_settings, monkeypatch, capsys)


@pytest.mark.parametrize("kind", list(FAMILIES))
def test_a_family_is_listed_with_every_variant(airloop: Airloop, kind: str) -> None:
    done = airloop("list", kind)
    assert done.code == 0, done.err
    shown = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    assert tuple(shown) == FAMILIES[kind].names()
    assert FAMILIES[kind].base in done.out


def test_options_are_listed_with_their_defaults(airloop: Airloop) -> None:
    assert "milliseconds:  (default 200)" in airloop("list", "rule").out


def test_without_a_family_all_are_listed_and_an_unknown_one_is_refused(airloop: Airloop) -> None:
    assert all(f"{kind}  (your own" in airloop("list").out for kind in FAMILIES)
    refused = airloop("list", "metricks")
    assert refused.code == 1
    assert "there is no family 'metricks'; did you mean 'metric'?" in refused.err


@pytest.mark.parametrize("word", ["problem", "problems"])
def test_the_kinds_of_problems_are_those_that_a_declaration_may_name(airloop: Airloop, word: str) -> None:
    done = airloop("list", word)
    assert done.code == 0, done.err
    shown = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")]
    assert sorted(shown) == sorted(get_args(TaskKind))


OWN = {
    "metric": "toys_own_metrics:CostOfMisses",
    "rule": "toys_own_rules:Rows",
    "source": "toys_own_sources:OneAnHour",
    "trigger": "toys_own_triggers:Off",
}


@pytest.fixture
def own_airloop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Airloop:
    """The toy with a metric, a rule, a source and a trigger of its project's own."""
    settings = toy_own.project(tmp_path / "project", Settings().project_dir)
    toy_own.fetch_jobs_by(settings, OWN["source"], "{machine: m7}")
    toy_own.measure_by(settings, OWN["metric"], "at_most: 0.9")
    toy_own.judge_by_rule(settings, f'{{kind: "{OWN["rule"]}", at_least: 6001}}')
    toy_own.ask_by_trigger(settings, f'{{kind: probe}}, {{kind: "{OWN["trigger"]}", at_most: 0.1}}')
    return in_checkout(settings, monkeypatch, capsys)


@pytest.mark.parametrize("kind", list(OWN))
def test_what_pipelines_name_of_their_own_is_listed_after_airloops_with_help_and_keys(
    own_airloop: Airloop, kind: str
) -> None:
    done = own_airloop("list", kind)
    assert done.code == 0, done.err
    shown = [line for line in done.out.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    assert [line.split()[0] for line in shown] == [*FAMILIES[kind].names(), OWN[kind]]
    assert f"{FAMILIES[kind].first_line(OWN[kind])}  (of toy)" in shown[-1]
    if kind in ("rule", "trigger"):
        assert {"rule": "at_least:", "trigger": "at_most:"}[kind] in done.out.split(OWN[kind])[1]


def test_the_check_says_what_is_the_projects_own(own_airloop: Airloop) -> None:
    done = own_airloop("pipelines", "check", "toy")
    assert done.code == 0, done.err
    (line,) = [line for line in done.out.splitlines() if "of this project" in line]
    assert all(f"{kind} {name}" in line for kind, name in OWN.items())


def declaration() -> Path:
    return load_settings().pipelines_dir / "toy" / "pipeline.yaml"


def test_a_module_that_fails_is_listed_with_its_error(own_airloop: Airloop) -> None:
    module = load_settings().project_dir / "include" / "toys_failing_rules.py"
    module.write_text("class Rows(nobody): ...\n")
    declaration().write_text(declaration().read_text().replace(OWN["rule"], "toys_failing_rules:Rows"))
    done = own_airloop("list", "rule")
    assert done.code == 0, done.err
    assert "cannot be imported: NameError: name 'nobody' is not defined (toys_failing_rules.py, line 1)" in done.out


def test_a_declaration_that_cannot_be_read_is_named_and_hides_no_family(own_airloop: Airloop) -> None:
    declaration().write_text(declaration().read_text().replace("\ngate:", "\ngates:"))
    done = own_airloop("list", "rule")
    assert done.code == 0
    assert "toy: its own are not listed: " in done.err
    assert "did you mean 'gate'" in done.err
    assert all(name in done.out for name in FAMILIES["rule"].names())
