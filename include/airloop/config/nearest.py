"""Did you mean: the valid word nearest to a mistyped one."""

import difflib
from collections.abc import Iterable

_LONGEST = 200
"""A longer text is not a mistyped word, and comparing it would take seconds."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the valid word nearest to a mistyped one, or an empty text when none is near."""
    if len(word) > _LONGEST:
        return ""
    near = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
