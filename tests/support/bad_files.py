"""Ways to spoil a landing file: each takes its bytes and a random generator, and returns other bytes."""

import gzip
import random
from collections.abc import Callable

Spoil = Callable[[bytes, random.Random], bytes]


def _lines(content: bytes) -> list[str]:
    return content.decode().splitlines()


def _content(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _cells(change: Callable[[list[list[str]], random.Random], None]) -> Spoil:
    def spoiled(content: bytes, draw: random.Random) -> bytes:
        rows = [line.split(",") for line in _lines(content)]
        change(rows, draw)
        return _content([",".join(row) for row in rows])

    return spoiled


def _cell(*values: str) -> Spoil:
    def change(rows: list[list[str]], draw: random.Random) -> None:
        row = draw.choice(rows[1:])
        row[draw.randrange(len(row))] = draw.choice(values)

    return _cells(change)


def _each_row(change: Callable[[list[str], int], None]) -> Spoil:
    def all_rows(rows: list[list[str]], draw: random.Random) -> None:
        place = draw.randrange(len(rows[0]))
        for row in rows:
            change(row, place)

    return _cells(all_rows)


def _remove(row: list[str], place: int) -> None:
    del row[place]


def _other_day(rows: list[list[str]], draw: random.Random) -> None:
    row = draw.choice(rows[1:])
    row[:] = [cell.replace("2020-", draw.choice(["2019-", "0000-", "2021-"]), 1) for cell in row]


def _same_key_twice(rows: list[list[str]], draw: random.Random) -> None:
    row = draw.choice(rows[1:])
    rows.append([*row[:-1], "17"])


def _header(rows: list[list[str]], draw: random.Random) -> None:
    rows[0][draw.randrange(len(rows[0]))] = draw.choice(["", "Size", "value", rows[0][0]])


def _flip(content: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(content))
    return content[:place] + bytes([draw.randrange(256)]) + content[place + 1 :]


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def _insert(content: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(content))
    return content[:place] + draw.choice([b"\x00", b'"', b",", b"\n", b"\r", b"\xff", b"\n\n", b";"]) + content[place:]


SPOILED: dict[str, Spoil] = {
    "as it should be": lambda content, _: content,
    "empty": lambda _content, _: b"",
    "cut off": _cut,
    "without its last line end": lambda content, _: content.rstrip(b"\n"),
    "header alone": lambda content, _: content.splitlines(keepends=True)[0],
    "UTF-16": lambda content, _: content.decode().encode("utf-16"),
    "Latin-1": lambda content, draw: _cell("müßig")(content, draw).decode().encode("latin-1"),
    "gzip": lambda content, _: gzip.compress(content, mtime=0),
    "anything": lambda _content, draw: draw.randbytes(200),
    "an error page": lambda _content, _: b"<html>\n<body>503, busy</body>\n</html>\n",
    "another byte": _flip,
    "one byte more": _insert,
    "semicolons": lambda content, _: content.replace(b",", b";"),
    "line ends of Windows": lambda content, _: content.replace(b"\n", b"\r\n"),
    "byte order mark": lambda content, _: b"\xef\xbb\xbf" + content,
    "a column less": _each_row(_remove),
    "a column more": _each_row(lambda row, place: row.insert(place, "more")),
    "a renamed column": _cells(_header),
    "a cell of another type": _cell("many", "1.5", "NaN", "true", "2020-01-01", "9" * 30, "-1", "\t", "ü" * 3000),
    "an empty cell": _cell(""),
    "a cell with quotes": _cell('"a, b"', '"a\nb"', '""', '"'),
    "an event of another day": _cells(_other_day),
    "a key twice": _cells(_same_key_twice),
    "a line twice": _cells(lambda rows, draw: rows.append(list(draw.choice(rows[1:])))),
    "a field less": _cells(lambda rows, draw: _remove(draw.choice(rows[1:]), 0)),
    "blank lines": _cells(lambda rows, draw: rows.insert(draw.randrange(1, len(rows)), [""])),
}
