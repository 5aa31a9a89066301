"""A landed file is read as declared: a row that cannot be read is marked with its place, a broken file is refused."""

import gzip
import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airloop.config import Feed
from airloop.data.file_rows import read_file
from airloop.data.unreadable_rows import RULE, SOURCE, TEXT
from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.records import LandedFile
from airloop.settings import Settings, load_settings

COLUMNS = {"id": "string", "at": "timestamp", "size": "integer", "heat": "float", "ok": "boolean"}
FEED = Feed(files="{day}.csv", key=("id",), event_time="at", columns=COLUMNS)
NEW_YORK = FEED.model_copy(update={"day_timezone": "America/New_York"})
HEADER = "id,at,size,heat,ok"
GOOD = "a,2020-01-01T00:00:00Z,1,0.5,true"
FILE = "2020-01-01.csv"


def _read(folder: Path, content: str | bytes, *, feed: Feed = FEED, max_bad_share: float = 0.0) -> pl.DataFrame:
    path = folder / FILE
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = load_settings(home=folder)
    return read_file(_landed(path, settings), feed, settings, max_bad_share=max_bad_share)


def _landed(path: Path, settings: Settings) -> LandedFile:
    return LandedFile("jobs", f"file://{path}", hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def _refusal(folder: Path, content: str | bytes, **options: object) -> str:
    with pytest.raises(DataContractError) as refused:
        _read(folder, content, **options)
    assert FILE in str(refused.value)
    return str(refused.value)


def _mark(frame: pl.DataFrame) -> tuple[str, str, str]:
    """Rule, text and source of the one row that cannot be read."""
    (marked,) = frame.filter(pl.col(RULE).is_not_null()).select(RULE, TEXT, SOURCE).rows()
    return marked


def test_values_take_their_declared_types(tmp_path: Path) -> None:
    frame = _read(tmp_path, f"{HEADER}\n{GOOD}\nb,2020-01-01T05:30:00.25+05:00, 2 ,1e3,FALSE\n")
    assert frame.schema == {
        "id": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "size": pl.Int64,
        "heat": pl.Float64,
        "ok": pl.Boolean,
        **dict.fromkeys((RULE, TEXT, SOURCE), pl.String),
    }
    assert frame.row(1) == ("b", datetime(2020, 1, 1, 0, 30, 0, 250000, UTC), 2, 1000.0, False, None, None, None)


def test_an_empty_field_is_null_and_a_quoted_empty_text_is_a_text(tmp_path: Path) -> None:
    frame = _read(tmp_path, f'{HEADER}\n"",2020-01-01T00:00:00Z,,,\n')
    assert frame.row(0)[:5] == ("", datetime(2020, 1, 1, tzinfo=UTC), None, None, None)


def test_quoted_fields_may_hold_commas_and_line_breaks(tmp_path: Path) -> None:
    assert _read(tmp_path, f'{HEADER}\n"a, ""b""\nc",2020-01-01T00:00:00Z,1,1,true\n')["id"].to_list() == ['a, "b"\nc']


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{HEADER}\r\n{GOOD}\r\n", id="line ends of Windows"),
        pytest.param(b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}\n".encode(), id="byte order mark"),
        pytest.param("ok,heat,size,at,id\ntrue,0.5,1,2020-01-01T00:00:00Z,a\n", id="columns in another order"),
    ],
)
def test_what_spreadsheets_do_to_a_file_does_not_matter(tmp_path: Path, content: str | bytes) -> None:
    assert _read(tmp_path, content).select(COLUMNS.keys()).rows() == [
        ("a", datetime(2020, 1, 1, tzinfo=UTC), 1, 0.5, True)
    ]


def test_backslashes_and_doubled_quotes_stand_for_themselves(tmp_path: Path) -> None:
    at = "2020-01-01T00:00:00Z,,,"
    frame = _read(tmp_path, f'{HEADER}\n"C:\\dir\\",{at}\n"a ""b"" \\""c",{at}\n"\\",{at}\n')
    assert frame["id"].to_list() == ["C:\\dir\\", 'a "b" \\"c', "\\"]


def test_a_file_without_rows_is_read_as_no_rows(tmp_path: Path) -> None:
    assert _read(tmp_path, f"{HEADER}\n").height == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", r"is empty \(0 bytes\)", id="empty"),
        pytest.param(b"\n\n", "not readable as CSV: Empty", id="blank lines"),
        pytest.param(f"{HEADER}\n{GOOD}\n".encode("utf-16"), "it is UTF-16; land it as plain UTF-8", id="UTF-16"),
        pytest.param(f"{HEADER}\n{GOOD}\n".encode("utf-16-le"), "has zero bytes, as UTF-16", id="UTF-16 unmarked"),
        pytest.param(f"{HEADER}\nü{GOOD}\n".encode("latin-1"), "line 2 holds the byte 0xfc", id="Latin-1"),
        pytest.param(f"{HEADER},ü\n".encode("latin-1"), "line 1 holds the byte 0xfc", id="Latin-1 in the header"),
        pytest.param(gzip.compress(f"{HEADER}\n{GOOD}\n".encode()) + b"\n", "it is gzip", id="compressed"),
        pytest.param(b"PK\x03\x04\n", "it is a zip archive", id="a spreadsheet"),
        pytest.param(b"BZh91AY&SY\x00\n", "it is bzip2", id="bzip2"),
        pytest.param(b"PAR1\x15\x00\n", "it is Parquet", id="Parquet"),
        pytest.param(f"{HEADER}\n{GOOD}\n".encode("utf-32"), "it is UTF-32", id="UTF-32"),
        pytest.param(f'{HEADER}\n{GOOD}\n"a\\"b",,,,\n', "line 3 masks a quote by a backslash", id="masked quote"),
        pytest.param(f"{HEADER}\n{GOOD}", "the last line does not end: the file was cut off", id="no line end"),
        pytest.param(
            f"{HEADER}\nb,2020-01-01T00:00:00Z\n{GOOD}\n", "Row #2: Expected 5 columns, got 2", id="short line"
        ),
        pytest.param(f"{HEADER}\n{GOOD},more\n", "Row #2: Expected 5 columns, got 6", id="long line"),
        pytest.param(f'{HEADER}\n"{GOOD}\n{GOOD}\n', "not readable as CSV: Row #2", id="open quote"),
        pytest.param(f"PK,{HEADER}\n1,{GOOD}\n", "not declared .*PK", id="a column named as archives begin"),
        pytest.param("<html>busy</html>\n", "it is a page of HTML", id="an error page"),
    ],
)
def test_a_file_that_is_no_whole_csv_is_refused(tmp_path: Path, content: str | bytes, says: str) -> None:
    assert re.search(says, _refusal(tmp_path, content))


@given(length=st.integers(1, 400))
def test_a_file_cut_anywhere_inside_a_line_is_refused(length: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = "\n".join([HEADER, *(f"{number},2020-01-01T00:00:00Z,12,34.5,true" for number in range(12))]) + "\n"
    content = whole[:length]
    folder = tmp_path_factory.getbasetemp()
    if content.endswith("\n"):
        assert _read(folder, content).height == content.count("\n") - 1
    else:
        _refusal(folder, content)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("id,at,size,heat", r"missing \['ok'\], not declared \[\]$"),
        ("id,at,size,heat,ok,more", r"missing \[\], not declared \['more'\]$"),
        ("id,at,size,celsius,ok", r"missing \['heat'\], not declared \['celsius'\]$"),
        ("id,at,size,Heat,ok", r"missing \['heat'\], not declared \['Heat'\], 'heat' may be 'Heat'"),
        ("id,at,size,heta,ok", r"'heat' may be 'heta'"),
        ("id,at,size,heat,ok,ok", r"twice \['ok'\]"),
        ("id;at;size;heat;ok", r"not declared \['id;at;size;heat;ok'\].*anything but a comma between the fields"),
    ],
)
def test_another_set_of_columns_is_refused_by_name(tmp_path: Path, header: str, says: str) -> None:
    fields = ",".join("1" for _ in header.split(","))
    assert re.search(says, _refusal(tmp_path, f"{header}\n{fields}\n"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01T00:00:00"),
        ("at", "2020-01-01"),
        ("at", "01.01.2020"),
        ("at", "1577836800"),
        ("size", "1.5"),
        ("size", "02134"),
        ("size", "1e+06"),
        ("size", "9007199254740993.0"),
        ("heat", "05"),
        ("heat", "5%"),
        ("at", "2020-01-01T00:00:00 EST"),
        ("at", "43831.5"),
        ("size", "many"),
        ("size", "99999999999999999999"),
        ("heat", "n/a"),
        ("heat", "NaN"),
        ("heat", "inf"),
        ("heat", "1.5C"),
        ("ok", "1"),
        ("ok", "yes"),
    ],
)
def test_one_value_of_another_type_marks_its_row_and_the_others_are_read(
    tmp_path: Path, column: str, value: str
) -> None:
    row = dict(zip(COLUMNS, GOOD.split(","), strict=True)) | {"id": "b", column: value}
    frame = _read(tmp_path, "\n".join([HEADER, GOOD, ",".join(row.values()), GOOD]) + "\n")
    rule, text, source = _mark(frame)
    assert (rule, source) == (f"type of {column}", f"file://{tmp_path}/{FILE} line 3")
    assert json.loads(text) == row
    assert frame[RULE].is_null().to_list() == [True, False, True]
    assert frame[column][1] == (datetime(2020, 1, 1, tzinfo=UTC) if column == "at" else None)


def test_a_missing_known_at_marks_its_row_and_every_fault_is_named(tmp_path: Path) -> None:
    feed = Feed(
        files="{day}.csv", key=("id",), event_time="at", known_at="told", columns=COLUMNS | {"told": "timestamp"}
    )
    rule, _, _ = _mark(_read(tmp_path, f"{HEADER},told\n{GOOD.replace(',1,', ',x,')},\n", feed=feed))
    assert rule == "type of size; missing told"


def test_a_header_among_the_rows_is_no_row_where_all_columns_are_texts(tmp_path: Path) -> None:
    feed = Feed(files="shops.csv", key=("id",), columns={"id": "string", "city": "string"})
    rule, _, source = _mark(_read(tmp_path, "id,city\na,Bonn\nid,city\nb,id\n", feed=feed))
    assert (rule, source.rpartition(" ")[2]) == ("header in id", "3")


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        pytest.param(["", "", f'"a\nb\n""c""\n"{GOOD[1:]}', "b,x,1,1,true"], 8, id="blank lines and breaks in fields"),
        pytest.param([GOOD, "", "b,x,1,1,true"], 4, id="a blank line"),
    ],
)
def test_the_line_is_the_one_an_editor_shows(tmp_path: Path, lines: list[str], line: int) -> None:
    feed = Feed(**FEED.model_dump() | {"as_written": ("id",)})
    _, _, source = _mark(_read(tmp_path, "\n".join([HEADER, *lines]) + "\n", feed=feed))
    assert source.endswith(f"{FILE} line {line}")


def _rows_with_wrong_sizes(wrong: int) -> list[str]:
    sizes = [f"x{number}" if number < wrong else "1" for number in range(100)]
    return [f"{number}{GOOD[1:].replace(',1,', f',{size},')}" for number, size in enumerate(sizes)]


@pytest.mark.parametrize(("wrong", "bound"), [(2, 0.0), (3, 0.02), (50, 0.4)])
def test_more_rows_than_one_and_than_the_bound_are_the_fault_of_the_file(
    tmp_path: Path, wrong: int, bound: float
) -> None:
    rows = _rows_with_wrong_sizes(wrong)
    message = _refusal(tmp_path, "\n".join([HEADER, *rows]) + "\n", max_bad_share=bound)
    assert f"{wrong} of 100 rows cannot be read, more than {bound:.2%}" in message
    assert "line 2, column 'size': 'x0' is not a whole number" in message


@pytest.mark.parametrize(("wrong", "bound"), [(1, 0.0), (2, 0.02), (50, 0.5)])
def test_rows_up_to_the_bound_are_marked_one_by_one(tmp_path: Path, wrong: int, bound: float) -> None:
    rows = _rows_with_wrong_sizes(wrong)
    frame = _read(tmp_path, "\n".join([HEADER, *rows]) + "\n", max_bad_share=bound)
    assert frame[RULE].is_not_null().sum() == wrong


@pytest.mark.parametrize("at", ["2019-12-31T23:59:59Z", "2020-01-02T00:00:00Z", "2020-01-01T23:30:00-01:00"])
def test_an_event_outside_the_day_in_the_file_name_marks_its_row_because_no_window_would_read_it(
    tmp_path: Path, at: str
) -> None:
    frame = _read(tmp_path, f"{HEADER}\n{GOOD}\nb,{at},1,1,true\n")
    rule, text, _ = _mark(frame)
    assert (rule, json.loads(text)["at"]) == ("day of at", at)
    assert frame["at"][1] == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("at", ["-0001-12-31T00:00:00Z", "0000-06-01T00:00:00Z", "+12020-01-01T00:00:00Z"])
def test_an_instant_outside_the_years_of_the_calendar_is_none(tmp_path: Path, at: str) -> None:
    columns = COLUMNS | {"other": "timestamp"}
    feed = Feed(files="{day}.csv", key=("id",), event_time="at", columns=columns)
    rule, _, _ = _mark(_read(tmp_path, f"{HEADER},other\n{GOOD},{at}\n", feed=feed))
    assert rule == "type of other"


def test_a_field_may_be_longer_than_any_block(tmp_path: Path) -> None:
    assert _read(tmp_path, f"{HEADER}\n{'a' * 3_000_000}{GOOD[1:]}\n")["id"].str.len_chars().to_list() == [3_000_000]


@pytest.mark.parametrize("at", ["2020-01-01T05:00:00Z", "2020-01-02T04:59:59Z"])
def test_the_day_in_the_file_name_is_a_local_day(tmp_path: Path, at: str) -> None:
    assert _read(tmp_path, f"{HEADER}\nb,{at},1,1,true\n", feed=NEW_YORK).height == 1


def test_a_file_that_changed_since_it_was_listed_is_read_again_later(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{HEADER}\n{GOOD}\n")
    settings = load_settings(home=tmp_path)
    landed = _landed(tmp_path / FILE, settings)
    (tmp_path / FILE).write_text(f"{HEADER}\n")
    with pytest.raises(UpstreamUnavailable, match="changed while it was read"):
        read_file(landed, FEED, settings, max_bad_share=0.0)


def test_a_file_that_went_away_is_retried(tmp_path: Path) -> None:
    landed = LandedFile("jobs", f"file://{tmp_path}/{FILE}", "0", 0)
    with pytest.raises(UpstreamUnavailable, match=f"{FILE} cannot be read"):
        read_file(landed, FEED, load_settings(home=tmp_path), max_bad_share=0.0)
