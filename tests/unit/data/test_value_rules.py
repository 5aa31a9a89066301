"""One set of rules reads values and infers types; what fits a type and would change its meaning is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from airloop.config import Feed
from airloop.data import file_rows, unreadable_rows
from airloop.data.value_rules import kind_of, marked_number, parse_instant_text, typed, why_not
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import read_table


def read(kind: str, *texts: str | None) -> list[object]:
    frame = pl.DataFrame({"v": texts}, schema={"v": pl.String})
    return frame.select(typed("v", kind)).to_series().to_list()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "12.0", 12),
        ("integer", "12.00", 12),
        ("integer", "0.000", 0),
        ("integer", "1234.000", 1234),
        ("integer", " -7\t", -7),
        ("integer", "+5", 5),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "9007199254740993", 2**53 + 1),
        ("float", "1e3", 1000.0),
        ("float", ".5", 0.5),
        ("float", "0.50", 0.5),
        ("float", "9007199254740994.0", 2.0**53 + 2),
        ("boolean", " TRUE", True),
    ],
)
def test_a_value_is_read_as_it_is_meant(kind: str, text: str, value: object) -> None:
    assert read(kind, text) == [value]


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("integer", "02134", "would lose its leading zero; declare the column as string"),
        ("integer", "-007", "would lose its leading zero"),
        ("float", "02134", "would lose its leading zero"),
        ("float", "00.5", "would lose its leading zero"),
        ("integer", "+4930123456", "a telephone number would lose its plus; declare the column as string"),
        ("float", "+4930123456", "a telephone number would lose its plus"),
        ("integer", "12.5", "it has a fraction"),
        ("integer", "1.000", "its point may part thousands"),
        ("integer", "-250.000", "its point may part thousands"),
        ("integer", "1e+06", "written with an exponent"),
        ("integer", "9223372036854775808", "more digits than the type holds"),
        ("integer", "9007199254740992.0", "has passed through a float"),
        ("float", "9007199254740993", "more digits than the type holds"),
        ("float", "1e400", "outside what a float of 64 bits holds"),
        ("float", "1e-400", "outside what a float of 64 bits holds"),
        ("float", "1,5", "it has a comma"),
        ("integer", "1,234,567", "it has a comma"),
        ("integer", "1 234", "its thousands are parted"),
        ("integer", "1'234", "its thousands are parted"),
        ("integer", "1_000", "its thousands are parted"),
        ("float", "5 %", "it has a percent sign"),
        ("float", "NaN", "for a missing value leave the field empty"),
        ("integer", "#N/A", "for a missing value leave the field empty"),
        ("integer", "\u0661\u0662", "is not a whole number"),
        ("boolean", "yes", "other spellings are not guessed"),
        ("boolean", "1", "other spellings are not guessed"),
        ("timestamp", "2013-01-01T10:00:00", "it has no offset"),
        ("timestamp", "2013-01-01", "it has no offset"),
        ("timestamp", "2013-01-01 10:00:00 EST", "an abbreviation may be several zones"),
        ("timestamp", "2013-01-01 10:00:00 CST", "an abbreviation may be several zones"),
        ("timestamp", "2013-01-01T10:00:00+01:00[Europe/Berlin]", "a zone's name is not an offset"),
        ("timestamp", "41640.5", "epoch|excel"),
        ("timestamp", "1357035300", "epoch_seconds"),
        ("timestamp", "1357035300000", "epoch_milliseconds"),
        ("timestamp", "13-01-01T10:00:00Z", "is not an instant"),
        ("timestamp", "2013-02-29T10:00:00Z", "is not an instant"),
        ("timestamp", "2013-01-01T10:00:00+25:00", "is not an instant"),
        ("timestamp", "01.02.2013 10:15", "--time-format"),
    ],
)
def test_a_value_that_would_change_its_meaning_is_not_read_and_the_message_says_why(
    kind: str, text: str, why: str
) -> None:
    assert read(kind, text) == [None]
    says = why_not(kind, text)
    assert says.startswith(repr(text))
    assert any(part in says for part in why.split("|"))


@pytest.mark.parametrize(
    "offset",
    ["+02", "+0200", "+02:00", "+02:00:00", " +02:00", " +0200"],
)
@pytest.mark.parametrize("clock", ["2013-01-01T10:15:00", "2013-01-01 10:15", "2013-01-01 10:15:00.000000000"])
def test_an_offset_is_read_in_every_form(clock: str, offset: str) -> None:
    assert read("timestamp", clock + offset) == [datetime(2013, 1, 1, 8, 15, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("offset", "minutes"),
    [("+05:30", 330), ("+0530", 330), ("-03", -180), ("-0330", -210), ("\u221205:00", -300), ("Z", 0), ("z", 0),
     (" UTC", 0), ("UTC", 0), (" GMT", 0), ("+00", 0), ("-00:00", 0), ("+14", 840)],
)  # fmt: skip
def test_an_offset_is_what_it_says(offset: str, minutes: int) -> None:
    meant = datetime(2013, 1, 1, 12, tzinfo=UTC) - timedelta(minutes=minutes)
    assert read("timestamp", f"2013-01-01 12:00:00{offset}") == [meant]
    assert parse_instant_text(f"2013-01-01 12:00:00{offset}") == meant


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        pytest.param(["+4930123456", "+4930123457"], "string", id="telephone numbers"),
        pytest.param(["1e5", "2e7", "31"], "string", id="codes that look like exponents"),
        pytest.param(["1E10", "2E10"], "string", id="seats"),
        pytest.param(["250.0", "250.00", "401.9"], "string", id="diseases"),
        pytest.param(["1.1", "1.10", "1.2"], "string", id="versions"),
        pytest.param(["02134", "10001"], "string", id="postcodes"),
        pytest.param(["E11.9", "250.0"], "string", id="diseases with letters"),
        pytest.param(["1e+05", "2.5"], "float", id="a float as R writes it"),
        pytest.param(["1.5e5", "2.5"], "float", id="an exponent behind a point"),
        pytest.param(["250.0", "401.9", "250.0"], "float", id="one number in one way"),
        pytest.param(["0.50", "1.25", "10.00", "100.00"], "float", id="prices"),
        pytest.param(["+5", "-3"], "integer", id="differences"),
    ],
)
def test_codes_made_of_digits_stay_texts(texts: list[str], kind: str) -> None:
    assert kind_of(pl.Series(texts)) == kind


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    st.integers(-15 * 60 - 59, 15 * 60 + 59),
    st.sampled_from(["T", " "]),
    st.sampled_from(["{h:02d}:{m:02d}", "{h:02d}{m:02d}"]),
)
def test_both_readers_of_instants_agree_with_the_calendar(at: datetime, offset: int, mark: str, form: str) -> None:
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    text = f"{at.isoformat(mark, 'microseconds')}{sign}{form.format(h=hours, m=minutes)}"
    meant = at.replace(tzinfo=UTC) - timedelta(minutes=offset)
    assert read("timestamp", text) == [meant]
    assert parse_instant_text(text) == meant


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.decimals(-(10**9), 10**9, places=2).map(str),
    st.sampled_from(["007", "1,5", "5%", "12.0", "1e+06", "0", "-0", "", "+3", ".5", "NA"]),
)
TIMES = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.datetimes().map(str),
    st.sampled_from(["2013-01-01 10:00:00+02", "2013-01-01T10:00Z", "2013-01-01 10:00:00 EST", ""]),
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
CELLS = st.one_of(
    st.lists(NUMBERS, min_size=3, max_size=3),
    st.lists(TIMES, min_size=3, max_size=3),
    st.lists(st.sampled_from(["true", "False", "1", ""]), min_size=3, max_size=3),
    st.lists(st.one_of(NUMBERS, TIMES, TEXTS), min_size=3, max_size=3),
)


@examples(max_examples=150)
@given(st.lists(CELLS, min_size=1, max_size=4))
def test_what_is_inferred_from_a_table_is_what_ingestion_reads_without_loss(
    columns: list[list[str]],
) -> None:
    texts = pl.DataFrame({f"c{number}": cells for number, cells in enumerate(columns)})
    kinds = {name: kind_of(texts[name].replace("", None)) for name in texts.columns}
    declared = {name: kind for name, kind in kinds.items() if kind not in ("clock", "empty")}
    feed = Feed(files="t.csv", key=("key",), columns={"key": "string", **declared})
    table = texts.select(pl.Series("key", ["a", "b", "c"]), *(pl.col(name).replace("", None) for name in declared))
    content = table.write_csv(quote_style="necessary", null_value="").encode()
    rows = file_rows.parse("t.csv", content, feed, span=None, max_bad_share=0)
    assert rows[unreadable_rows.RULE].null_count() == 3
    for name, kind in declared.items():
        for text, value in zip(texts[name], rows[name], strict=True):
            assert _means(text, value, kind), (text, value, kind)


def _means(text: str, value: object, kind: str) -> bool:
    """Whether the value is the text's, judged by Python and not by what is tested."""
    if text == "":
        return value is None
    if kind == "string":
        return value == text
    judged = {
        "integer": lambda: int(text),
        "float": lambda: float(text),
        "boolean": lambda: {"true": True, "false": False}[text.lower()],
        "timestamp": lambda: datetime.fromisoformat(text.replace("T10:00Z", "T10:00:00Z")).astimezone(UTC),
    }
    return value == judged[kind]()


def test_a_column_with_one_leading_zero_is_text_for_a_new_pipeline_and_for_ingestion(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("zip,n\n10001,1\n02134,2\n")
    assert dict(read_table(path, Dialect()).kinds) == {"zip": "string", "n": "integer"}
    feed = Feed(files="t.csv", key=("n",), columns={"zip": "string", "n": "integer"})
    rows = file_rows.parse("t.csv", path.read_bytes(), feed, span=None, max_bad_share=0)
    assert rows["zip"].to_list() == ["10001", "02134"]


def test_numbers_with_a_point_anywhere_are_floats_so_that_a_later_half_is_read() -> None:
    assert kind_of(pl.Series(["1.0", "2.0"])) == "float"
    assert kind_of(pl.Series(["1", "2"])) == "integer"


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["5%", "7 %"], "5%"),
        (["10", "\u20ac 1.234,50"], "\u20ac 1.234,50"),
        (["1'000", "20"], "1'000"),
        (["5%", "low"], None),
        (["1.5", "2"], None),
        (["DE", "AT"], None),
    ],
)
def test_numbers_that_are_text_only_for_a_mark_are_pointed_out(texts: list[str], first: str | None) -> None:
    assert marked_number(pl.Series(texts)) == first
