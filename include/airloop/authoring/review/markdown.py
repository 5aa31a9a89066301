"""Markdown whose content comes from a change: shown as it is, and never a link, a mention or a picture."""

import re
from collections.abc import Sequence


def code(text: object) -> str:
    """One line of code, in which GitHub links nothing; what would end it is shown as another quote."""
    return f"`{' '.join(str(text).split()).replace('`', chr(39)) or '-'}`"


def block(text: str) -> str:
    """A block of code; its fence is longer than any in the text."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.strip()}\n{fence}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are one line of Markdown each."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def several(items: Sequence[str], *, most: int) -> str:
    """A list of lines of code, cut off after `most`."""
    more = [f"- ... and {len(items) - most} more"] if len(items) > most else []
    return "\n".join([*(f"- {code(item)}" for item in items[:most]), *more])
