"""What docs/extend prints works as it stands there."""

from pathlib import Path

import pytest
from tests.support import extend_pages

from airloop.cli.families import FAMILIES
from airloop.config import METRIC
from airloop.config.gate_rules import RULE, RuleDeclaration
from airloop.config.problem import PROBLEM
from airloop.config.source import SOURCE
from airloop.config.stream import BROKER
from airloop.config.triggers import TRIGGER, TriggerDeclaration
from airloop.families import Family, first_line
from airloop.settings import ENGINE

EXAMPLES = [
    (METRIC, "metrics.md", "shop_metrics:CostOfMisses"),
    (SOURCE, "sources.md", "shop_sources:RestPage"),
    (SOURCE, "sources.md", "shop_objects:Objects"),
    (RULE, "rules.md", "shop_rules:Rows"),
    (TRIGGER, "triggers.md", "shop_triggers:Returns"),
    (PROBLEM, "problems.md", "shop_problems:Counts"),
    (ENGINE, "engines.md", "shop_engines:BigDuckDB"),
]


@pytest.fixture(autouse=True)
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in extend_pages.PAGES.glob("*.md"):
        extend_pages.write(page.name, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(("family", "page", "name"), EXAMPLES, ids=[name for *_, name in EXAMPLES])
def test_an_example_is_a_variant_of_its_family_with_help(family: Family, page: str, name: str) -> None:
    assert name.partition(":")[0] in extend_pages.modules(page)
    assert len(first_line(family.load(name))) > 20


def test_every_family_has_a_page_with_an_example() -> None:
    # A broker's page points to the one in tests/unit/sources/test_streams_declared.py.
    assert {family.kind for family, *_ in EXAMPLES} | {BROKER.kind} == set(FAMILIES)


def test_declared_as_printed_rule_and_trigger_are_built() -> None:
    assert RuleDeclaration.model_validate({"kind": "shop_rules:Rows", "at_least": 5000}).build().at_least == 5000
    assert TriggerDeclaration.model_validate({"kind": "shop_triggers:Returns", "at_most": 0.05}).build().at_most == 0.05


def test_the_estimator_is_one_of_scikit_learn() -> None:
    from importlib import import_module

    assert import_module("shop_models").damped_logistic(C=0.1).get_params()["C"] == 0.1
