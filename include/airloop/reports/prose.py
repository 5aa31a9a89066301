"""Sentences of ours on a page: they begin with a capital letter, and what stands between backticks is shown as code."""

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`\n]+)`")
_PLAIN_WORD = re.compile(r"[a-z]+(?:'s)?(?=[\s,;]|$)|(?:refused|passed|locked)(?=:)")
"""No name of a file, a column, a setting or a version, and none that says before a colon what a sentence is about."""


def prose(text: object) -> Markup:
    """A message as HTML: `` `airloop status` `` becomes code, everything else is escaped, data it quotes included."""
    parts = _CODE.split(str(text))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part) for position, part in enumerate(parts)
    )


def sentence(text: object) -> Markup:
    """The same, beginning with a capital letter where its first word is one of the language."""
    words = str(text)
    return prose(words[:1].upper() + words[1:] if _PLAIN_WORD.match(words) else words)


def plain(text: object) -> str:
    """A message where no markup can stand: a tooltip, a title."""
    return _CODE.sub(r"\1", str(text))
