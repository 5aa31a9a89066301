"""What a terminal shows of texts that others wrote: every character as a character, none as a command to it."""

import re
from typing import Any

from rich.console import Console

# Control characters but tab and newline, what turns or hides text (zero widths, directions), and half surrogate pairs,
# which no stream can encode.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def plain(text: str) -> str:
    """A text with what a terminal would obey or hide written as in Python's source: ESC as backslash, x, 1, b."""
    return _COMMANDS.sub(lambda command: command[0].encode("unicode_escape").decode(), text)


class PlainConsole(Console):
    """A console that prints texts by `plain`."""

    def print(self, *objects: Any, **options: Any) -> None:
        """See rich.console.Console.print."""
        super().print(*(plain(one) if isinstance(one, str) else one for one in objects), **options)
