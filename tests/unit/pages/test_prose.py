"""Messages on pages: commands read as code, sentences begin as sentences do, and data in them stays text."""

import pytest
from tests.support import pages_stand, toy

from airloop.pages import decisions, overview
from airloop.reports.prose import plain, prose, sentence
from airloop.settings import Settings
from airloop.stores import ledger


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "lift it by `airloop unlock toy --why '...'`",
            "lift it by <code>airloop unlock toy --why &#39;...&#39;</code>",
        ),
        ("`a` or `b`", "<code>a</code> or <code>b</code>"),
        ("a value '<b>`x`</b>'", "a value &#39;&lt;b&gt;<code>x</code>&lt;/b&gt;&#39;"),
        ("a value `<script>`", "a value <code>&lt;script&gt;</code>"),
        ("one ` alone", "one ` alone"),
        ("over `two\nlines`", "over `two\nlines`"),
        ("", ""),
    ],
)
def test_what_stands_between_backticks_is_code_and_everything_else_is_text(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("version 7 is the refit of version 6", "Version 7 is the refit of version 6"),
        ("refused: too few days", "Refused: too few days"),
        ("Already so", "Already so"),
        ("features.sql line 3", "features.sql line 3"),
        ("jobs: 3 days are missing", "jobs: 3 days are missing"),
        ("min_rows is 100", "min_rows is 100"),
        ("v7 passed", "v7 passed"),
        ("toy__data failed", "toy__data failed"),
        ("`airloop status` says it", "<code>airloop status</code> says it"),
    ],
)
def test_a_sentence_begins_with_a_capital_letter_and_a_name_as_it_is_written(text: str, shown: str) -> None:
    assert sentence(text) == shown


def test_a_tooltip_has_no_marks() -> None:
    assert plain("see `airloop status`, or ` alone") == "see airloop status, or ` alone"


def test_the_ledger_shows_an_entrys_reason_as_a_sentence_with_its_command_as_code(toy_settings: Settings) -> None:
    why = "locked by hand: lift it by `airloop unlock toy`"
    ledger.append(toy_settings, "toy", kind="locked", effective_at=toy.START, payload={"why": why, "who": "ada"})
    site = pages_stand.site(toy_settings)
    assert "Locked by hand: lift it by <code>airloop unlock toy</code>" in decisions.page(site, "toy")
    assert "<code>airloop unlock toy</code>" in overview.page(site, "toy")
    assert "`" not in "".join(page(site, "toy").partition("<body>")[2] for page in (decisions.page, overview.page))
