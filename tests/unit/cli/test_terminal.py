"""Nothing that others wrote commands a terminal, hides a part of itself, or cannot be encoded."""

import pytest
from tests.support import toy
from tests.support.command import Airloop
from tests.support.ledger_entries import put_in_force

from airloop.cli.terminal import plain
from airloop.settings import Settings
from airloop.stores import ledger

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u200b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\rb\x7f\x9b", r"a\rb\x7f\x9b"),
        ("to\u202egnp.exe", r"to\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("half \ud800", r"half \ud800"),
        ("é 東京 [red] tab\tand\nline", "é 東京 [red] tab\tand\nline"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_written_out(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_no_command_passes_on_what_is_in_its_arguments_or_in_the_ledger(
    airloop: Airloop, toy_settings: Settings
) -> None:
    at = toy.days(0, 1).start
    put_in_force(toy_settings, "toy", 1, at)
    ledger.append(toy_settings, "toy", kind="alarm", effective_at=at, payload={"says": HOSTILE})
    outputs = [
        airloop("ledger", "show", "toy"),
        airloop("ledger", "show", HOSTILE),
        airloop("ledger", "at", "toy", HOSTILE),
        airloop("run", HOSTILE, "toy"),
        airloop("ledger", "verify", "toy", "--head", HOSTILE),
        airloop("alarms", "answer", "toy", HOSTILE, "--as", "accepted", "--why", "x"),
        airloop("run", "ingest", "\udcff"),
    ]
    assert "owned" in outputs[0].out
    for shown in outputs:
        text = shown.out + shown.err
        assert [character for character in HOSTILE if not character.isprintable() and character in text] == []
    assert [shown.code for shown in outputs] == [0, 1, 1, 1, 1, 1, 1]
