"""What export tools make of a table: named with the way out, set apart by row, or read as it was meant."""

import gzip
import json
from collections.abc import Callable

import polars as pl
import pytest
from tests.support.sketched import feed

from airloop.data.file_rows import parse
from airloop.data.unreadable_rows import RULE
from airloop.errors import DataContractError

KINDS = {"sale": "string", "sold_at": "timestamp", "shop": "string", "price": "float", "paid": "boolean"}
FEED = feed(columns=KINDS)
HEADER = "sale,sold_at,shop,price,paid"
ROWS = [f"s{number},2024-01-01T{number:02}:00:00Z,Köln,{number}.5,true" for number in range(20)]
LINES = [HEADER, *ROWS]
PLAIN = "\n".join(LINES) + "\n"

Write = Callable[[], str | bytes]


def _parsed(content: str | bytes) -> pl.DataFrame:
    data = content if isinstance(content, bytes) else content.encode()
    return parse("file:///2024-01-01.csv", data, FEED, span=None, max_bad_share=0.05)


def _rows() -> list[list[str]]:
    return [line.split(",") for line in LINES]


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


REFUSED: dict[str, tuple[Write, str]] = {
    "gzip": (lambda: gzip.compress(PLAIN.encode()), "it is gzip"),
    "UTF-16 of a spreadsheet": (lambda: PLAIN.encode("utf-16"), "it is UTF-16"),
    "Windows-1252": (lambda: PLAIN.encode("cp1252"), "line 2 holds the byte 0xf6"),
    "an old spreadsheet": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 64, "it is an old spreadsheet"),
    "JSON lines": (lambda: _lines(*(json.dumps({"sale": row}) for row in ROWS)), "it is JSON"),
    "a JSON array": (lambda: json.dumps([{"sale": "s1"}], indent=1) + "\n", "it is JSON"),
    "the page of an error": (lambda: "<html><body>502 Bad Gateway</body></html>\n", "it is a page of HTML"),
    "XML": (lambda: '<?xml version="1.0"?>\n<sales/>\n', "it is XML"),
    "a dump of a database": (lambda: "-- MySQL dump 10.13\nINSERT INTO sales VALUES (1);\n", "it is a dump of SQL"),
    "semicolons": (lambda: PLAIN.replace(",", ";"), "is anything but a comma between the fields?"),
    "tabs": (lambda: PLAIN.replace(",", "\t"), "is anything but a comma between the fields?"),
    "the separator for a spreadsheet above": (lambda: "sep=,\n" + PLAIN, "the header stands in line 2"),
    "a title above": (lambda: "Sales of January\n\n" + PLAIN, "the header stands in line 3"),
    "a comment above": (lambda: "# exported, by a tool, of 2024\n" + PLAIN, "the header stands in line 2"),
    "no header": (lambda: _lines(*ROWS), "is the line with their names missing?"),
    "the row numbers of pandas": (
        lambda: _lines(*(f"{'' if number == 0 else number - 1},{line}" for number, line in enumerate(LINES))),
        "a program's row number (in pandas: index=False)",
    ),
    "a comma behind each line": (lambda: _lines(*(f"{line}," for line in LINES)), "or a comma too many"),
    "names in capitals": (lambda: PLAIN.replace(HEADER, HEADER.upper()), "'sold_at' may be 'SOLD_AT'"),
    "a column renamed": (lambda: PLAIN.replace("price", "prices"), "'price' may be 'prices'"),
    "a column twice": (lambda: _lines(*(f"{line},{line.split(',')[2]}" for line in LINES)), "twice ['shop']"),
    "the count of rows behind them": (lambda: PLAIN + "\n(20 rows affected)\n", "Expected 5 columns, got 1"),
    "cut off in a line": (lambda: PLAIN[:-20], "the last line does not end"),
    "zeros behind the rows": (lambda: PLAIN + "\0" * 512, "zero bytes"),
    "decimal commas": (lambda: PLAIN.replace(".5,", ",5,"), "Expected 5 columns, got 6"),
    "decimal commas in quotes": (
        lambda: _lines(HEADER, *(",".join([*row[:3], f'"{row[3].replace(".", ",")}"', row[4]]) for row in _rows()[1:])),
        "`airloop land --decimal`",
    ),
    "words for booleans": (lambda: PLAIN.replace("true", "Ja"), "column 'paid'"),
    "yes and no": (lambda: PLAIN.replace("true", "Yes"), "other spellings are not guessed"),
    "the clock of a country": (lambda: PLAIN.replace("2024-01-01T", "01.01.2024 "), "--time-format"),
    "days of a spreadsheet": (
        lambda: _lines(HEADER, *(",".join([row[0], "45292.5", *row[2:]]) for row in _rows()[1:])),
        "COLUMN=excel",
    ),
    "a mark of money": (lambda: PLAIN.replace(".5,", ".5 €,"), "column 'price'"),
    "a word for missing": (lambda: _lines(HEADER, *(line.replace(".5,", "NULL,") for line in ROWS)), "column 'price'"),
}  # fmt: skip


@pytest.mark.parametrize("form", REFUSED)
def test_another_form_is_refused_with_what_it_is(form: str) -> None:
    write, says = REFUSED[form]
    with pytest.raises(DataContractError) as refused:
        _parsed(write())
    assert says in str(refused.value)
    assert "2024-01-01.csv" in str(refused.value)


SET_APART: dict[str, tuple[Write, int]] = {
    "a header in between, of a second file": (lambda: _lines(*LINES[:11], HEADER, *LINES[11:]), 20),
    "a line of dashes below the header": (lambda: _lines(HEADER, ",".join(["-----"] * 5), *ROWS), 20),
    "a row of totals without a time": (lambda: PLAIN + "Total,,,190.5,\n", 20),
}


@pytest.mark.parametrize("form", SET_APART)
def test_a_line_that_is_no_row_is_set_apart_and_the_others_are_read(form: str) -> None:
    write, rows = SET_APART[form]
    parsed = _parsed(write())
    assert parsed.filter(pl.col(RULE).is_null()).height == rows
    assert parsed.filter(pl.col(RULE).is_not_null()).height == 1


READ: dict[str, Write] = {
    "as it is": lambda: PLAIN,
    "a byte order mark": lambda: b"\xef\xbb\xbf" + PLAIN.encode(),
    "line ends of Windows": lambda: PLAIN.replace("\n", "\r\n"),
    "line ends of an old Macintosh": lambda: PLAIN.replace("\n", "\r"),
    "every field in quotes": lambda: _lines(*('"' + line.replace(",", '","') + '"' for line in LINES)),
    "columns in another order": lambda: _lines(*(",".join(reversed(row)) for row in _rows())),
    "empty lines in between": lambda: PLAIN.replace("\n", "\n\n"),
    "true in capitals": lambda: PLAIN.replace("true", "TRUE"),
    "an exponent": lambda: PLAIN.replace(",1.5,", ",1.5E+00,"),
    "a blank behind a number": lambda: PLAIN.replace(".5,", ".5 ,"),
    "offsets instead of Z": lambda: PLAIN.replace(":00Z", ":00+00:00"),
    "the same rows twice": lambda: PLAIN + _lines(*ROWS),
}


@pytest.mark.parametrize("form", READ)
def test_what_says_the_same_is_read_as_the_same(form: str) -> None:
    parsed = _parsed(READ[form]()).unique(maintain_order=True)
    assert parsed.equals(_parsed(PLAIN))
