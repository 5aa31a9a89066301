"""A landed file is read whole and as declared, or refused with file, column and value."""

import gzip
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airloop.config import Feed
from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.landing import read_file
from airloop.records import LandedFile
from airloop.settings import Settings, load_settings

COLUMNS = {"id": "string", "at": "timestamp", "size": "integer", "heat": "float", "ok": "boolean"}
FEED = Feed(files="{day}.csv", key=("id",), event_time="at", columns=COLUMNS)
NEW_YORK = FEED.model_copy(update={"day_timezone": "America/New_York"})
HEADER = "id,at,size,heat,ok"
GOOD = "a,2020-01-01T00:00:00Z,1,0.5,true"
FILE = "2020-01-01.csv"


def _read(folder: Path, content: str | bytes, *, feed: Feed = FEED, name: str = FILE) -> pl.DataFrame:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = load_settings(home=folder)
    return read_file(_landed(path, settings), feed, settings)


def _landed(path: Path, settings: Settings) -> LandedFile:
    return LandedFile("jobs", f"file://{path}", hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def _refusal(folder: Path, content: str | bytes, **options: object) -> str:
    with pytest.raises(DataContractError) as refused:
        _read(folder, content, **options)
    assert FILE in str(refused.value)
    return str(refused.value)


def test_values_take_their_declared_types(tmp_path: Path) -> None:
    frame = _read(tmp_path, f"{HEADER}\n{GOOD}\nb,2020-01-01T05:30:00.25+05:00, 2 ,1e3,FALSE\n")
    assert frame.schema == {
        "id": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "size": pl.Int64,
        "heat": pl.Float64,
        "ok": pl.Boolean,
    }
    assert frame.row(1) == ("b", datetime(2020, 1, 1, 0, 30, 0, 250000, UTC), 2, 1000.0, False)


def test_an_empty_field_is_null_and_a_quoted_empty_text_is_a_text(tmp_path: Path) -> None:
    frame = _read(tmp_path, f'{HEADER}\n"",2020-01-01T00:00:00Z,,,\n')
    assert frame.row(0) == ("", datetime(2020, 1, 1, tzinfo=UTC), None, None, None)


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
    assert _read(tmp_path, content).rows() == [("a", datetime(2020, 1, 1, tzinfo=UTC), 1, 0.5, True)]


def test_a_file_without_rows_is_read_as_no_rows(tmp_path: Path) -> None:
    assert _read(tmp_path, f"{HEADER}\n").height == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "Empty CSV", id="empty"),
        pytest.param(f"{HEADER}\n{GOOD}\n".encode("utf-16"), "CSV in UTF-8", id="UTF-16"),
        pytest.param(f"{HEADER}\nü{GOOD}\n".encode("latin-1"), "CSV in UTF-8", id="Latin-1"),
        pytest.param(f"{HEADER},ü\n".encode("latin-1"), "CSV in UTF-8", id="Latin-1 in the header"),
        pytest.param(gzip.compress(f"{HEADER}\n{GOOD}\n".encode()) + b"\n", "differ|CSV in UTF-8", id="compressed"),
        pytest.param(f"{HEADER}\n{GOOD}", "the last line does not end", id="no line end"),
        pytest.param(f"{HEADER}\nb,2020-01-01T00:00:00Z\n{GOOD}\n", "got 2", id="short line"),
        pytest.param(f"{HEADER}\n{GOOD},more\n", "got 6", id="long line"),
        pytest.param(f'{HEADER}\n"{GOOD}\n{GOOD}\n', "CSV in UTF-8", id="open quote"),
        pytest.param("<html>busy</html>\n", "missing .*'at'.* not declared .*html", id="an error page"),
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
        ("id,at,size,heat", r"missing \['ok'\], not declared \[\]"),
        ("id,at,size,heat,ok,more", r"missing \[\], not declared \['more'\]"),
        ("id,at,size,celsius,ok", r"missing \['heat'\], not declared \['celsius'\]"),
        ("id,at,size,Heat,ok", r"missing \['heat'\], not declared \['Heat'\]"),
        ("id,at,size,heat,ok,ok", r"twice \['ok'\]"),
        ("id;at;size;heat;ok", r"missing .*'at'.*not declared \['id;at;size;heat;ok'\]"),
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
        ("size", "1.0"),
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
def test_one_value_of_another_type_is_refused_with_file_column_and_value(
    tmp_path: Path, column: str, value: str
) -> None:
    row = dict(zip(COLUMNS, GOOD.split(","), strict=True)) | {column: value}
    message = _refusal(tmp_path, "\n".join([HEADER, GOOD, ",".join(row.values()), GOOD]) + "\n")
    assert f"column {column!r}: 1 values" in message
    assert f"first [{value!r}]" in message


def test_many_wrong_values_are_counted_and_three_are_shown(tmp_path: Path) -> None:
    rows = [GOOD.replace(",1,", f",x{number},") for number in range(50)]
    assert "50 values are not Int64, first ['x0', 'x1', 'x2']" in _refusal(tmp_path, "\n".join([HEADER, *rows]) + "\n")


@pytest.mark.parametrize("at", ["2019-12-31T23:59:59Z", "2020-01-02T00:00:00Z", "2020-01-01T23:30:00-01:00"])
def test_an_event_outside_the_day_in_the_file_name_is_refused_because_no_window_would_read_it(
    tmp_path: Path, at: str
) -> None:
    message = _refusal(tmp_path, f"{HEADER}\n{GOOD}\nb,{at},1,1,true\n")
    assert "column 'at': 1 events lie outside the day in the file's name" in message


@pytest.mark.parametrize("at", ["2020-01-01T05:00:00Z", "2020-01-02T04:59:59Z"])
def test_the_day_in_the_file_name_is_a_local_day(tmp_path: Path, at: str) -> None:
    assert _read(tmp_path, f"{HEADER}\nb,{at},1,1,true\n", feed=NEW_YORK).height == 1


def test_a_file_that_changed_since_it_was_listed_is_read_again_later(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{HEADER}\n{GOOD}\n")
    settings = load_settings(home=tmp_path)
    landed = _landed(tmp_path / FILE, settings)
    (tmp_path / FILE).write_text(f"{HEADER}\n")
    with pytest.raises(UpstreamUnavailable, match="changed while it was read"):
        read_file(landed, FEED, settings)


def test_a_file_that_went_away_is_retried(tmp_path: Path) -> None:
    landed = LandedFile("jobs", f"file://{tmp_path}/{FILE}", "0", 0)
    with pytest.raises(UpstreamUnavailable, match=f"{FILE} cannot be read"):
        read_file(landed, FEED, load_settings(home=tmp_path))
