"""Keys as texts: two that look the same have to be one, so what cannot be seen, or has changed on its way, is refused.

The rules for a key column of type string, by value:

`hidden characters in <column>`
    Nothing to see at all; blanks at an end; a character that is not printed (a control character, a zero-width one, a
    byte order mark, a no-break or other blank, a mark of direction, a filler); or a text that is not in Unicode's
    normal form C, so that `é` may be one character here and two there.
`float in <column>`
    A number as a float is written: `1.0e+06`, or `1000000.0` in a file in which no key has another fraction.

`no value in <column>`
    A word that a program writes where there is no value: `NULL`, `None`, `NaN`, `N/A`, `#REF!`. All rows without a key
    would be one thing.

Columns that `as_written` of the feed names are taken as they stand.
"""

import re
import unicodedata

import polars as pl

from airloop.config import Feed

HIDDEN, FLOAT, NO_VALUE = "hidden characters in", "float in", "no value in"

# Printed for Python, and yet not seen: fillers, joiners, variation selectors, the empty Braille cell.
_FILLERS = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810))))
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
# Not `NA`, which is Namibia, nor a dash: those are names, too.
_NO_VALUE = (
    r"(?i)^(?:<?null>?|\(null\)|none|nan|nat|<na>|n/a|undefined|\\N|#(?:n/a|ref!|value!|name\?|div/0!|null!|num!))$"
)
_PLAIN = r"^[!-~](?:[ -~]*[!-~])?$"
_EXPONENT = r"^[+-]?[0-9](?:\.[0-9]*)?[eE]\+[0-9]+$|^[+-]?[0-9]\.[0-9]+[eE][0-9]+$"
_WHOLE_FLOAT, _ANY_FRACTION = r"^[+-]?[0-9]+\.0+$", r"^[+-]?[0-9]+\.[0-9]*[1-9]"


def faults(texts: pl.DataFrame, feed: Feed) -> dict[str, pl.Series]:
    """Rule and column -> which rows of a file break it; `texts` are the file's fields."""
    names, masks = judged(feed), {}
    for name in names:
        text = pl.col(name)
        masks[f"{HIDDEN} {name}"] = _odd(text)
        masks[f"{NO_VALUE} {name}"] = text.str.contains(_NO_VALUE).fill_null(value=False)
        masks[f"{FLOAT} {name}"] = _through_float(text)
    broken = texts.select(**masks).to_dict()
    for name in names:
        if broken[f"{HIDDEN} {name}"].any():
            broken[f"{HIDDEN} {name}"] = hidden(texts[name])
    return broken


def judged(feed: Feed) -> tuple[str, ...]:
    """The columns of a feed that these rules are about."""
    return tuple(name for name in feed.key if feed.columns[name] == "string" and name not in feed.as_written)


def hidden(texts: pl.Series) -> pl.Series:
    """Which of the texts hold what is not seen."""
    odd = texts.to_frame().select(_odd(pl.first())).to_series()
    if not odd.any():
        return odd
    known = {text: bool(unseen(text)) for text in texts.filter(odd).unique()}
    return odd & texts.replace_strict(known, default=False, return_dtype=pl.Boolean).fill_null(value=False)


def through_float(texts: pl.Series) -> pl.Series:
    """Which of a column's texts are whole numbers that have been floats."""
    return texts.to_frame().select(_through_float(pl.first())).to_series()


def _odd(text: pl.Expr) -> pl.Expr:
    """What has to be looked at by its characters."""
    return ~text.str.contains(_PLAIN).fill_null(value=True)


def _through_float(text: pl.Expr) -> pl.Expr:
    # 1.0 beside 1.1 is a version; in a file in which every fraction is zero the numbers were whole.
    fractions = text.str.contains(_ANY_FRACTION).any()
    return (text.str.contains(_EXPONENT) | (text.str.contains(_WHOLE_FLOAT) & ~fractions)).fill_null(value=False)


def is_float(text: str, *, whole: bool) -> bool:
    """Whether one text is a number as a float is written; `whole` counts `12.0`, which may be a name, among them."""
    return bool(re.match(_EXPONENT, text) or (whole and re.match(_WHOLE_FLOAT, text)))


def is_no_value(text: str) -> bool:
    """Whether one text is a word for a missing value."""
    return bool(re.match(_NO_VALUE, text))


def unseen(text: str) -> str:
    """What of a text is not seen, in words; empty when all of it is."""
    if re.fullmatch(_PLAIN, text):
        return ""
    if not text.strip():
        return "nothing to see"
    marks = [char for char in text if not char.isprintable() or char in _FILLERS or _selects(char)]
    if marks:
        named = dict.fromkeys(f"U+{ord(char):04X}" for char in marks)
        return f"{', '.join(named)}, which {'are' if len(named) > 1 else 'is'} not seen"
    if text != text.strip():
        return "blanks at an end"
    return "" if unicodedata.is_normalized("NFC", text) else "characters that are not in Unicode's normal form C"


def _selects(char: str) -> bool:
    return any(ord(char) in block for block in _SELECTORS)
