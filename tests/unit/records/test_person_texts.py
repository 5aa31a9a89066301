"""What a person writes into the ledger is one line of text that every page and terminal can show."""

import pytest

from airloop.errors import ConfigError
from airloop.records.person_texts import cleaned, require_reason, require_text


@pytest.mark.parametrize(
    ("why", "kept"),
    [
        (" checked with ops \n", "checked with ops"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("größer als 3 [red] <b>", "größer als 3 [red] <b>"),
        ("x" * 1000, "x" * 1000),
    ],
)
def test_a_reason_is_kept_in_one_line(why: str, kept: str) -> None:
    assert require_reason(why, "--why '...'") == kept


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (" \n\t ", "a reason is required, it is kept in the ledger: --why"),
        ("x" * 1001, "the reason has 1,001 characters, at most 1,000 are kept"),
        ("\x1b[31mred", "the reason holds the control character"),
        ("a\0b", "the reason holds the control character"),
        ("half \ud800", "the reason holds the control character"),
    ],
)
def test_what_is_no_reason_is_refused(why: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        require_reason(why, "--why '...'")


def test_a_name_is_kept_as_it_is_and_one_that_commands_a_terminal_refused() -> None:
    assert require_text("Anna  B.", "the name") == "Anna  B."
    with pytest.raises(ConfigError, match="the name holds the control character"):
        require_text("anna\n", "the name")


def test_a_comment_that_cannot_be_refused_any_more_is_cleaned() -> None:
    assert cleaned(" ok\x1b[31m\nfine\ud800 ") == "ok [31m fine"
    assert len(cleaned("x" * 5000)) == 1000
    assert require_reason(cleaned("a\0b"), "") == "a b"
