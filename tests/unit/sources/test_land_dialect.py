"""How a table is written: what has to be said is asked for with the option that says it, and is then read."""

from pathlib import Path

import polars as pl
import pytest

from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import Table, read_table

GERMAN = "\ufeffZeit;Preis (EUR);Ort\n01.02.2013 10:15;1.059,5;Köln\n\n02.02.2013 11:00;-3;Bonn\n"


def read(folder: Path, text: str, **said: object) -> Table:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, Dialect(**said))  # type: ignore[arg-type]


def test_a_table_as_european_programs_write_it_is_read_when_its_marks_are_said(tmp_path: Path) -> None:
    said = {"separator": ";", "decimal": ",", "time_format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}
    table = read(tmp_path, GERMAN, **said)
    assert dict(table.kinds) == {"Zeit": "timestamp", "Preis (EUR)": "float", "Ort": "string"}
    assert table.texts.rows() == [
        ("2013-02-01T09:15:00Z", "1059.5", "Köln"),
        ("2013-02-02T10:00:00Z", "-3", "Bonn"),
    ]


@pytest.mark.parametrize(
    ("mark", "said"), [(";", "add --separator ';', and --decimal ,"), ("\t", "add --separator tab"), ("|", "'|'")]
)
def test_a_header_parted_by_something_else_is_refused_with_the_option(tmp_path: Path, mark: str, said: str) -> None:
    with pytest.raises(DataContractError, match=r"not commas") as refused:
        read(tmp_path, f"a{mark}b{mark}c\n1{mark}2,5{mark}3\n")
    assert said in str(refused.value)


@pytest.mark.parametrize("said", ["tab", "\\t", "\t"])
def test_a_tab_can_be_typed(tmp_path: Path, said: str) -> None:
    assert dict(read(tmp_path, "a\tb\n1\tx\n", separator=said).kinds) == {"a": "integer", "b": "string"}


def test_a_comma_that_was_asked_for_is_not_argued_about(tmp_path: Path) -> None:
    assert list(read(tmp_path, "a;b;c,d\n1;2;3,4\n", separator=",").kinds) == ["a;b;c", "d"]


@pytest.mark.parametrize("value", ["1,5", "1,234", "-0,25", "n/a"])
def test_numbers_with_commas_have_to_be_explained(tmp_path: Path, value: str) -> None:
    with pytest.raises(DataContractError, match=r"column 'a' holds numbers with commas, like '1,5': add --decimal ,"):
        read(tmp_path, f'a\n"1,5"\n"{value}"\n')


@pytest.mark.parametrize(
    ("decimal", "texts", "read_as"),
    [
        (",", ["1,5", "2"], ["1.5", "2"]),
        (",", ["1.234", "5"], ["1234", "5"]),
        (",", ["1.234.567,8", "-1,0e3"], ["1234567.8", "-1.0e3"]),
        (".", ["1,234.5", "12"], ["1234.5", "12"]),
        (".", ["1,234,567", "2"], ["1234567", "2"]),
        (".", ["1,5", "2"], ["1,5", "2"]),  # no thousands: a text
        (",", ["1,5", "Köln, Bonn"], ["1,5", "Köln, Bonn"]),
        (",", ["01.02.2013", "1.2"], ["01.02.2013", "1.2"]),
    ],
)
def test_marks_in_numbers_are_read_as_said_and_other_texts_stay(
    tmp_path: Path, decimal: str, texts: list[str], read_as: list[str]
) -> None:
    table = read(tmp_path, "a;b\n" + "".join(f"{text};x\n" for text in texts), separator=";", decimal=decimal)
    assert table.texts["a"].to_list() == read_as


def test_an_offset_in_the_time_format_makes_instants(tmp_path: Path) -> None:
    table = read(tmp_path, "t\n02/01/2013 10:15 +0100\n", time_format="%m/%d/%Y %H:%M %z")
    assert table.texts["t"].to_list() == ["2013-02-01T09:15:00Z"]
    assert dict(table.kinds) == {"t": "timestamp"}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y-%m-%d %H:%M:%S%#z", "2025-03-01 10:00:00+02"),
        ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 10:00:00+0200"),
        ("%d.%m.%Y %H:%M %z", "01.03.2025 10:00 +0200"),
        ("%d.%m.%Y %H:%M %z", "01.03.2025 10:00 +02:00"),
    ],
)
def test_offsets_as_postgresql_and_others_write_them_are_read_as_what_they_say(
    tmp_path: Path, form: str, text: str
) -> None:
    table = read(tmp_path, f"t\n{text}\n{text.replace('+02', '-05')}\n", time_format=form)
    assert table.texts["t"].to_list() == ["2025-03-01T08:00:00Z", "2025-03-01T15:00:00Z"]


def test_a_time_format_that_fits_no_column_is_refused_with_what_stands_there(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"'%d\.%m\.%Y' says \('t' holds '02/01/2013'\)"):
        read(tmp_path, "t,n\n02/01/2013,1\n", time_format="%d.%m.%Y")
    with pytest.raises(DataContractError, match="none looks like times"):
        read(tmp_path, "n\n1\n", time_format="%d.%m.%Y")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"separator": "::"}, "--separator '::': give one character"),
        ({"decimal": ";"}, "--decimal ';': a decimal mark is . or ,"),
        ({"timezone": "Berlin"}, "--timezone 'Berlin': no such time zone; write a name like Europe/Berlin"),
    ],
)
def test_a_dialect_that_cannot_be_is_refused(said: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Dialect(**said)  # type: ignore[arg-type]
    assert str(refused.value).startswith(why)


def test_words_for_missing_values_of_a_parquet_are_declared_too(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"n": ["1", "NA"]}).write_parquet(path)
    with pytest.raises(DataContractError, match="add --missing NA"):
        read_table(path, Dialect())
    assert read_table(path, Dialect(missing=("NA",))).texts["n"].to_list() == ["1", None]


def test_the_options_say_the_same_again() -> None:
    said = Dialect("Asia/Tokyo", ("NA", "-"), "\t", ",", "%d.%m.%Y")
    assert said.options() == [
        "--separator", "tab", "--decimal", ",", "--time-format", "%d.%m.%Y", "--timezone", "Asia/Tokyo",
        "--missing", "NA", "--missing", "-",
    ]  # fmt: skip
    assert Dialect().options() == []


@pytest.mark.parametrize("said", [{}, {"separator": ";"}])
def test_a_line_that_tells_a_spreadsheet_the_separator_is_to_be_removed(tmp_path: Path, said: dict[str, str]) -> None:
    with pytest.raises(DataContractError, match=r"its first line, 'sep=;', tells a spreadsheet") as refused:
        read(tmp_path, "sep=;\na;b\n1;2\n", **said)
    assert "--separator" in str(refused.value)
