"""`airloop list`: every variant with its help and options; a family nobody has is named with the nearest."""

from typing import get_args

import pytest
from tests.support.command import Airloop, in_checkout

from airloop.cli.families import FAMILIES
from airloop.config import TaskKind
from airloop.settings import Settings


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
