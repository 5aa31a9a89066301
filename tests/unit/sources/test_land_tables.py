"""Tables people bring: what their values are, what landing would refuse, and what has to be said about them."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import kind_of, read_table

AS_WRITTEN = Dialect()


def csv(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "-2", None], "integer"),
        (["1", "2.5"], "float"),
        (["true", "False"], "boolean"),
        (["2013-01-01T10:15:00Z", "2013-01-01 10:15:00.5+01:00"], "timestamp"),
        (["2013-01-01T10:15:00", "2013-01-01T10:16:00"], "clock"),
        (["2013-01-01", "2013-01-02"], "clock"),
        (["01/02/2013", "02/02/2013"], "string"),  # January or February: nobody can tell
        (["2013-01-01T10:15:00Z", "2013-01-01T10:15:00"], "string"),
        (["00501", "10001"], "string"),
        (["12345678901234567890", "1"], "string"),
        (["0", "10"], "integer"),
        (["1", "a"], "string"),
        ([None, None], "empty"),
    ],
)
def test_a_column_is_what_landing_would_read_every_value_as(texts: list[str | None], kind: str) -> None:
    assert kind_of(pl.Series("c", texts, pl.String)) == kind


def test_a_csv_keeps_its_texts(tmp_path: Path) -> None:
    table = read_table(
        csv(tmp_path, 'id,zip,t,note\n1,00501,2013-01-01T10:15:00Z,"a,b"\n2,,2013-01-02T00:00:00Z,""\n'), AS_WRITTEN
    )
    assert table.texts.rows()[0] == ("1", "00501", "2013-01-01T10:15:00Z", "a,b")
    assert table.texts.rows()[1] == ("2", None, "2013-01-02T00:00:00Z", "")
    assert dict(table.kinds) == {"id": "integer", "zip": "string", "t": "timestamp", "note": "string"}
    assert table.values().schema == {"id": pl.Int64, "zip": pl.String, "t": pl.Datetime("us", "UTC"), "note": pl.String}


def test_parquet_keeps_its_types_and_what_no_file_can_hold_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame(
        {
            "whole": [1, 2],
            "part": [1.0, float("nan")],
            "at": [datetime(2020, 1, 1, 1, tzinfo=UTC), None],
            "clock": [datetime(2020, 1, 1, 1)] * 2,
            "day": [date(2020, 1, 1)] * 2,
            "yes": [True, None],
            "kind": pl.Series(["a", "b"], dtype=pl.Categorical),
            "many": [[1], [2]],
        }
    ).write_parquet(path)
    table = read_table(path, AS_WRITTEN)
    assert list(table.kinds.values()) == ["integer", "float", "timestamp", "clock", "clock", "boolean", "string"]
    assert list(table.left_out) == ["many"]
    assert table.texts["part"].to_list() == ["1.0", None]
    assert table.texts["at"].to_list() == ["2020-01-01T01:00:00Z", None]


def test_a_timezone_makes_clock_times_instants(tmp_path: Path) -> None:
    path = csv(tmp_path, "t\n2013-07-01 10:00:00\n2013-12-01 10:00:00\n")
    assert dict(read_table(path, AS_WRITTEN).kinds) == {"t": "clock"}
    table = read_table(path, Dialect(timezone="America/New_York"))
    assert table.texts["t"].to_list() == ["2013-07-01T14:00:00Z", "2013-12-01T15:00:00Z"]
    assert dict(table.kinds) == {"t": "timestamp"}


@pytest.mark.parametrize("clock", ["2013-11-03 01:30:00", "2013-03-10 02:30:00"], ids=["repeated", "skipped"])
def test_a_clock_time_without_one_instant_is_refused(tmp_path: Path, clock: str) -> None:
    with pytest.raises(DataContractError, match=f"skipped or repeated .* first '{clock}'"):
        read_table(csv(tmp_path, f"t\n{clock}\n"), Dialect(timezone="America/New_York"))


def test_words_for_missing_values_have_to_be_declared(tmp_path: Path) -> None:
    path = csv(tmp_path, "n,code\n1,NA\nNA,DE\n-,US\n")
    with pytest.raises(DataContractError, match=r"of 'n' stand 1 times 'NA', 1 times '-'.* --missing NA --missing -"):
        read_table(path, AS_WRITTEN)
    table = read_table(path, Dialect(missing=("NA", "-")))
    assert dict(table.kinds) == {"n": "integer", "code": "string"}
    assert table.texts["n"].to_list() == ["1", None, None]


def test_a_text_among_texts_is_no_missing_value(tmp_path: Path) -> None:
    assert read_table(csv(tmp_path, "code\nNA\nDE\n"), AS_WRITTEN).texts["code"].to_list() == ["NA", "DE"]


def test_a_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    table = read_table(csv(tmp_path, ",a\n0,1\n"), AS_WRITTEN)
    assert list(table.kinds) == ["a"]
    assert list(table.left_out) == ["(without a name)"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not readable as CSV"),
        (b"a,b\n", "holds no row"),
        (b"a,b\n1\n", "not readable as CSV in UTF-8: CSV parse error: .*Expected 2 columns, got 1"),
        (b"a,b\n1,\xff\n", "line 2: byte 0xff is not UTF-8"),
        (
            "a,b\n1,x\n2,Köln\n".encode("cp1252"),
            "line 3: byte 0xf6 .*'2,Köln'.*iconv -f WINDOWS-1252 -t UTF-8 table.csv",
        ),
        ("a,b\n1,Köln\n".encode("utf-16"), "written in UTF-16, .*iconv -f UTF-16"),
        (b"PK\x03\x04\x14\x00rest", "is a zip archive, as a spreadsheet is, .*save it as CSV UTF-8"),
        (b"\x1f\x8b\x08\x00rest", "is gzip, whatever its name says: unpack it"),
        (b"a,a\n1,2\n", "two columns are named 'a'"),
        (b"a,A\n1,2\n", "two columns are named 'A'"),
        (b"a;b\n1;2\n", "the header uses ';', not commas"),
        (b"a,,\n1,,\n", "the header leaves several columns without a name"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(DataContractError, match=says):
        read_table(csv(tmp_path, content), AS_WRITTEN)


def test_a_header_that_begins_with_the_letters_of_an_archive_is_a_header(tmp_path: Path) -> None:
    assert list(read_table(csv(tmp_path, "PK,b\n1,2\n"), AS_WRITTEN).kinds) == ["PK", "b"]


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match="not readable as parquet"):
        read_table(csv(tmp_path, b"PAR1", "table.parquet"), AS_WRITTEN)


@pytest.mark.parametrize(("name", "says"), [("nosuch.csv", "no such file"), ("table.xlsx", "neither in .csv nor in")])
def test_another_file_is_refused(tmp_path: Path, name: str, says: str) -> None:
    csv(tmp_path, "a\n1\n", "table.xlsx")
    with pytest.raises(ConfigError, match=says):
        read_table(tmp_path / name, AS_WRITTEN)


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--timezone 'Berlin': no such time zone"):
        read_table(csv(tmp_path, "a\n1\n"), Dialect(timezone="Berlin"))


def test_an_unknown_column_is_refused_with_the_nearest(tmp_path: Path) -> None:
    table = read_table(csv(tmp_path, "amount,b\n1,2\n"), AS_WRITTEN)
    with pytest.raises(ConfigError, match=r"--label: .* has no column 'amuont'; did you mean 'amount'"):
        table.require("amuont", "--label")
    assert table.require("b", "--label") == "b"
