"""Every message the troubleshooting page explains is one that airloop says."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "guides" / "troubleshooting.md"
SPAN = re.compile(r"`([^`]+)`")


def _messages(text: str) -> list[str]:
    """What stands in backticks in the first column of the page's tables."""
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return [span for row in rows for span in SPAN.findall(row)]


@cache
def _said() -> str:
    """Every text of the code, those of f-strings with a mark for what is filled in, adjacent ones joined."""
    texts = [(ROOT / "Makefile").read_text()]
    for path in ROOT.glob("include/airloop*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


def test_the_page_explains_many_messages() -> None:
    assert len(_messages(PAGE.read_text())) >= 40


@pytest.mark.parametrize("message", _messages(PAGE.read_text()))
def test_a_message_of_the_page_is_said_by_the_code(message: str) -> None:
    assert message in _said()


def test_a_message_that_nobody_says_is_noticed() -> None:
    assert _messages("| `the moon is full` | x | y |") == ["the moon is full"]
    assert "the moon is full" not in _said()
