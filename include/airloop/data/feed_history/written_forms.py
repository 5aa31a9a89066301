"""One text as the systems that hand it on write it: what two forms have in common, and how a changed one came about.

`Köln` comes as `KÃ¶ln` from who reads UTF-8 as Latin-1, as `K?ln` or `K\ufffdln` from who has no letter for it, as
`Koeln`, `K&ouml;ln`, `K%C3%B6ln`, `"Köln"`, and a code `1` as `1.0` or `01` from a table program.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

_UNSEEN = ("Mn", "Cf", "Cc")
_APART = re.compile(r"[\s_-]+")
_NUMBER = re.compile(r"([+-]?)0*([0-9]+)(?:[.,]0*)?")
_LOST = re.compile("[?\ufffd]+")
_QUOTES = "\"'`\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"}
)
_LEAST_LETTERS = 3


def plain(text: str) -> str:
    """A text without case, accents, blanks and what is not seen; of a number, its value."""
    number = _NUMBER.fullmatch(text.strip())
    if number:
        sign = "-" if number[1] == "-" else ""
        return f"{sign}{number[2]}"
    folded = unicodedata.normalize("NFKD", text.casefold())
    visible = "".join(part for part in folded if unicodedata.category(part) not in _UNSEEN)
    # A dash between digits parts two numbers.
    return re.sub(r"\s+", "", visible) if any(part.isdigit() for part in visible) else _APART.sub("", visible)


def forms(text: str) -> frozenset[str]:
    """The plain forms under which a text may come again: its own, with letters written as two, without its letters."""
    spelled = text.casefold().translate(_LETTERS)
    bare = "".join(part for part in text if part.isascii())
    spellings = [text, spelled, *([bare] if len(bare) >= _LEAST_LETTERS else [])]
    return frozenset(form for form in map(plain, spellings) if form)


def readings(text: str) -> Iterator[str]:
    """The texts that one may have been before another system wrote it, itself first."""
    for undone in _UNDONE:
        before = undone(text)
        if before is not None and (before != text or undone is _as_it_is):
            yield plain(before)


def lost_letters(text: str) -> re.Pattern[str] | None:
    """What a text can have been in which `?` or U+FFFD stand for letters that were lost; None without any of them."""
    parts = _LOST.split(text)
    if len(parts) == 1 or sum(map(len, parts)) < _LEAST_LETTERS - 1:
        return None
    return re.compile(r"[^\x00-\x7f]+".join(map(re.escape, parts)))


def _as_it_is(text: str) -> str:
    return text


def _read_as_latin(text: str) -> str | None:
    """The text whose bytes in UTF-8 were read as another code; None where they are none."""
    for code in ("cp1252", "latin-1"):
        try:
            return text.encode(code).decode()
        except UnicodeError:
            continue
    return None


def _unquoted(text: str) -> str:
    return text.strip().strip(_QUOTES)


_UNDONE: tuple[Callable[[str], str | None], ...] = (
    _as_it_is, _read_as_latin, html.unescape, unquote, _unquoted
)  # fmt: skip
