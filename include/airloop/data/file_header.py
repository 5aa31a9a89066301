"""The header of a landed file: which columns it names, and what a writing program did where they are not the feed's."""

import csv
import difflib
from collections.abc import Iterator, Sequence

from airloop.config import Feed
from airloop.errors import DataContractError

_LINES = 20


def refuse_other_columns(uri: str, content: bytes, names: Sequence[str], feed: Feed) -> None:
    """Refuse columns that are not the declared ones, in any order.

    Raises:
        DataContractError: Names the columns that are missing and those that nobody declared, and what may have been.
    """
    if sorted(names) == sorted(feed.columns):
        return
    missing = sorted(set(feed.columns) - set(names))
    extra = sorted(set(names) - set(feed.columns))
    twice = sorted({name for name in names if names.count(name) > 1})
    says = [
        f"missing {missing}, not declared {extra}",
        *_renamed(missing, extra),
        *([f"twice {twice}"] if twice else []),
    ]
    raise DataContractError(
        f"{uri}: columns differ from the declaration: {', '.join([*says, *_written(content, names, feed)])}"
    )


def lines_above(content: bytes, feed: Feed) -> str:
    """In which line the header stands, in words; empty where it is the first one, or there is none."""
    for number, line in enumerate(_first_lines(content), start=1):
        if sorted(_fields(line)) == sorted(feed.columns):
            return f"the header stands in line {number}: have what is above it left out" if number > 1 else ""
    return ""


def _renamed(missing: Sequence[str], extra: Sequence[str]) -> Iterator[str]:
    for name in missing:
        close = difflib.get_close_matches(name.lower(), [item.lower() for item in extra], n=1)
        yield from (f"{name!r} may be {item!r}" for item in extra if item.lower() in close)


def _written(content: bytes, names: Sequence[str], feed: Feed) -> Iterator[str]:
    if above := lines_above(content, feed):
        yield above
    elif len(names) == 1 < len(feed.columns):
        yield "is anything but a comma between the fields?"
    elif len(names) == len(feed.columns) and not set(names) & set(feed.columns):
        yield "is the line with their names missing?"
    if any(not name.strip() or name.startswith("Unnamed: ") for name in names):
        yield "a column without a name is a program's row number (in pandas: index=False), or a comma too many"


def _first_lines(content: bytes) -> list[str]:
    return content[: _LINES * 1000].decode("utf-8-sig", errors="replace").splitlines()[:_LINES]


def _fields(line: str) -> list[str]:
    return next(csv.reader([line]), [])
