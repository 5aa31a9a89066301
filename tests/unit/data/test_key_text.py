"""Two keys that look the same are never two keys: what is not seen, and what has been a float, goes to quarantine."""

import polars as pl
import pytest
from tests.support import landed, toy
from tests.support.landed import FILE
from tests.support.run_plainly import run_plainly

from airloop.config import Feed
from airloop.data import file_rows, key_text, quarantine, unreadable_rows
from airloop.data.ingest import ingest
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.settings import Settings
from airloop.sources import database_lines
from airloop.sources.land_days import land_table
from airloop.sources.land_dialect import Dialect

UNSEEN = {
    "zero width": "a\u200bb",
    "no-break blank": "a\u00a0b",
    "byte order mark": "\ufeffab",
    "control": "a\x07b",
    "line break": "a\nb",
    "blank at the end": "ab ",
    "blank at the start": " ab",
    "tab": "ab\t",
    "form D": "e\u0301",
    "direction": "a\u202eb",
    "soft hyphen": "a\u00adb",
    "filler": "a\u3164b",
    "selector": "a\ufe0f",
    "nothing": " ",
    "empty": "",
}


@pytest.mark.parametrize("key", UNSEEN.values(), ids=UNSEEN)
def test_what_is_not_seen_in_a_key_is_named(key: str) -> None:
    assert key_text.unseen(key)
    assert key_text.hidden(pl.Series([key, "plain", None])).to_list() == [True, False, False]


@pytest.mark.parametrize("key", ["a", "a b", "\u00e9", "M\u00fcnchen Ost", "\u6771\u4eac", "#1/2 (x)", "\U0001f600"])
def test_what_is_seen_is_no_fault(key: str) -> None:
    assert not key_text.unseen(key)
    assert not key_text.hidden(pl.Series([key])).any()


@pytest.mark.parametrize(
    ("keys", "broken"),
    [
        (["1000000.0", "1000001.0"], [True, True]),
        (["1000000.0", "x"], [True, False]),
        (["1e+06", "1.0E+06", "1.5e6"], [True, True, True]),
        (["1.0", "1.1", "2.0"], [False, False, False]),  # versions
        (["1000000", "12e4", "1e5"], [False, False, False]),  # digits of a hash
    ],
)
def test_a_key_that_has_been_a_float_is_found(keys: list[str], broken: list[bool]) -> None:
    assert key_text.through_float(pl.Series(keys)).to_list() == broken


def _rule(key: str) -> str | None:
    feed = Feed(files="t.csv", key=("id",), columns={"id": "string", "n": "integer"})
    content = f'id,n\n"{key}",1\nb,2\n'.encode()
    return file_rows.parse("t.csv", content, feed, span=None, max_bad_share=0)[unreadable_rows.RULE][0]


@pytest.mark.parametrize(
    "key", ["NULL", "null", "<null>", "None", "NaN", "NaT", "<NA>", "N/A", "#REF!", "\\N", "undefined"]
)
def test_a_word_for_a_missing_value_is_no_key(key: str) -> None:
    assert _rule(key) == "no value in id"


@pytest.mark.parametrize("key", ["NA", "-", "0", "nano", "None-1", "Nullmeier", "#12"])
def test_a_name_that_only_looks_like_such_a_word_is_a_key(key: str) -> None:
    assert _rule(key) is None


@pytest.mark.parametrize("key", ["a\u200b", "b ", "1e+06", "NULL"])
def test_the_row_goes_to_quarantine_with_the_rules_name_and_the_others_go_in(toy_settings: Settings, key: str) -> None:
    toy.land(toy_settings, days=range(1))
    landed.put(toy_settings, FILE, [*(landed.job(f"g{n}") for n in range(60)), landed.job(key)])
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, toy_settings, toy.days(0, 1))
    (row,) = quarantine.list_rows(toy.toy_pipeline(toy_settings), toy_settings)
    assert row.rules in ("hidden characters in job", "float in job", "no value in job")
    assert row.key == {"job": key}
    assert len(landed.sizes(toy_settings, layer="clean")) == 60


def test_a_file_of_such_keys_is_set_aside_with_the_value_and_the_way_out(toy_settings: Settings) -> None:
    landed.put(toy_settings, FILE, [landed.job(f"{1000 + n}.0") for n in range(10)])
    with pytest.raises(DataContractError, match=r"'1000.0' is a number as a float is written.*`as_written`"):
        run_plainly(ingest, Deployment(toy.toy_pipeline(toy_settings), toy_settings), toy.days(0, 1))


def test_a_key_that_is_declared_as_written_is_taken_as_it_stands(toy_settings: Settings) -> None:
    pipeline = landed.with_feed(toy.toy_pipeline(toy_settings), "jobs", as_written=["job"])
    landed.put(toy_settings, FILE, [landed.job("2.0"), landed.job("b ")])
    run_plainly(ingest, Deployment(pipeline, toy_settings), toy.days(0, 1))
    assert set(landed.sizes(toy_settings)) == {"2.0", "b "}


@pytest.mark.parametrize("columns", [["size"], ["jobb"], ["machine"]])
def test_as_written_takes_key_columns_of_type_string(toy_settings: Settings, columns: list[str]) -> None:
    with pytest.raises(ValueError, match=r"as_written names .* it takes key columns of type string"):
        landed.with_feed(toy.toy_pipeline(toy_settings), "jobs", as_written=columns)


def test_a_rule_about_a_column_whose_name_has_blanks_is_explained() -> None:
    feed = Feed(files="t.csv", key=("Order Nr.",), columns={"Order Nr.": "string", "Amount EUR": "integer"})
    rows = file_rows.parse("t.csv", b"Order Nr.,Amount EUR\na,007\n", feed, span=None, max_bad_share=0)
    says = unreadable_rows.explain(
        feed, rows[unreadable_rows.RULE][0], unreadable_rows.texts_of(rows.row(0, named=True))
    )
    assert says.startswith("column 'Amount EUR': '007' is not a whole number")


def test_landing_by_hand_refuses_the_float_keys_of_a_parquet_file(toy_settings: Settings) -> None:
    path = toy_settings.project_dir / "t.parquet"
    at = ["2020-01-01T00:00:00Z"] * 2
    rows = pl.DataFrame({"job": [1000000.0, 1000001.0], "machine": "m", "planned_at": at, "starts_at": at, "size": 1})
    rows.write_parquet(path)
    with pytest.raises(DataContractError, match=r"'job' is declared as string, and the table holds floats: '1000000\."):
        land_table(toy.toy_pipeline(toy_settings), "jobs", path, Dialect(), toy_settings)
    rows.with_columns(pl.col("job").cast(pl.Int64)).write_parquet(path)
    assert land_table(toy.toy_pipeline(toy_settings), "jobs", path, Dialect(), toy_settings).rows == 2


@pytest.mark.parametrize("value", ["a ", "a\u200b", "1e+06", "None"])
def test_a_databases_key_is_refused_where_it_enters(toy_settings: Settings, value: str) -> None:
    feed = toy.toy_pipeline(toy_settings).feeds["jobs"]
    row = [value, "m0", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00+00", 1]
    with pytest.raises(DataContractError, match=r"column 'job'.*(trim it|cast it|leave it out) in the query"):
        database_lines.line("jobs", feed, row)
    assert database_lines.line("jobs", feed, ["a", *row[1:]]).startswith('"a"')
