"""Lists of names, wrapped below their first one."""

import textwrap
from collections.abc import Sequence

_WIDTH = 118


def wrapped(items: Sequence[str], *, indent: int) -> str:
    """The items with commas, on lines of the files' width; lines after the first begin at `indent`."""
    lines = textwrap.wrap(
        ", ".join(item.replace(" ", "\0") for item in items),
        _WIDTH - indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"\n{' ' * indent}".join(lines).replace("\0", " ")
