"""What docs/extend prints works as it stands there."""

from pathlib import Path

import pytest
from tests.support import extend_pages

from airloop.cli.families import FAMILIES
from airloop.config import METRIC
from airloop.config.engine import ENGINE
from airloop.config.families import Family
from airloop.config.gate_rules import RULE, RuleDeclaration
from airloop.config.problem import PROBLEM
from airloop.config.source import SOURCE
from airloop.config.stream import BROKER
from airloop.config.triggers import TRIGGER, TriggerDeclaration
from airloop.sources.brokers.broker import Address, Broker, DeadLetter

EXAMPLES = [
    (METRIC, "metrics.md", "shop_metrics:CostOfMisses"),
    (SOURCE, "sources.md", "shop_sources:RestPage"),
    (SOURCE, "sources.md", "shop_objects:Objects"),
    (RULE, "rules.md", "shop_rules:Rows"),
    (TRIGGER, "triggers.md", "shop_triggers:Returns"),
    (PROBLEM, "problems.md", "shop_problems:Counts"),
    (ENGINE, "engines.md", "shop_engines:BigDuckDB"),
    (BROKER, "brokers.md", "shop_outbox:Outbox"),
]


@pytest.fixture(autouse=True)
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in extend_pages.PAGES.glob("*.md"):
        extend_pages.write(page.name, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(("family", "page", "name"), EXAMPLES, ids=[name for *_, name in EXAMPLES])
def test_an_example_is_a_variant_of_its_family_with_help(family: Family, page: str, name: str) -> None:
    assert name.partition(":")[0] in extend_pages.modules(page)
    assert len(family.first_line(name)) > 20


def test_every_family_has_a_page_with_an_example() -> None:
    assert {family.kind for family, *_ in EXAMPLES} == set(FAMILIES)


def test_declared_as_printed_rule_and_trigger_are_built() -> None:
    assert RuleDeclaration.model_validate({"kind": "shop_rules:Rows", "at_least": 5000}).build().at_least == 5000
    assert TriggerDeclaration.model_validate({"kind": "shop_triggers:Returns", "at_most": 0.05}).build().at_most == 0.05


def test_the_broker_gives_again_what_is_not_done_and_keeps_what_cannot_be_read(tmp_path: Path) -> None:
    address = Address(str(tmp_path / "outbox.db"), "shop.returns", "airloop")
    first: Broker = BROKER.load("shop_outbox:Outbox")(address)
    first.send([b"1", b"2", b"not json"])
    assert first.hold(60)
    one, two, broken = first.take(10, 0)
    assert first.take(10, 0) == []
    first.acknowledge([one])
    first.set_aside([DeadLetter(broken, "not JSON")] * 2)
    first.acknowledge([broken])
    second: Broker = BROKER.load("shop_outbox:Outbox")(address)
    assert not second.hold(60)
    first.close()
    assert second.hold(60)
    assert list(second.take(10, 0)) == [two]
    assert [letter.reason for letter in second.dead_letters(5)] == ["not JSON"]
    assert (second.depth().pending, second.depth().dead) == (1, 1)
    assert (second.drop_dead_letters(None), second.dead_letters(5)) == (1, [])
    second.close()


def test_the_estimator_is_one_of_scikit_learn() -> None:
    from importlib import import_module

    assert import_module("shop_models").damped_logistic(C=0.1).get_params()["C"] == 0.1
