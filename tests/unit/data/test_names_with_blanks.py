"""Columns whose names hold blanks are judged as all others are."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from tests.support.flight_months import flights

from airloop.config import Feed, Pipeline
from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.notice import notice, sketch_window
from airloop.data.feed_history.store import PastWindow
from airloop.data.validate_raw import expected_type
from airloop.records import Window

MONTHS = [Window(datetime(2024, n, 1, tzinfo=UTC), datetime(2024, n + 1, 1, tzinfo=UTC)) for n in (1, 2, 3, 4)]
COLUMNS = {
    "Sale Nr.": "string",
    "sold at": "timestamp",
    "article code": "string",
    "unit price": "float",
    "hour of sale": "integer",
}


def _pipeline() -> Pipeline:
    known = flights().model_dump()
    named = {"files": "{day}.csv", "key": ["Sale Nr."]}
    outcome = {"Sale Nr.": "string", "ended at": "timestamp", "returned": "integer"}
    known["feeds"] = {
        "sales": {**named, "event_time": "sold at", "columns": COLUMNS},
        "returns": {**named, "event_time": "ended at", "outcome": True, "columns": outcome},
    }
    known["prediction"]["entity_key"] = "Sale Nr."
    return Pipeline.model_validate(known)


def _sales(month: int) -> pl.DataFrame:
    draw, window = np.random.default_rng(month), MONTHS[month]
    minutes = np.sort(draw.integers(0, (window.end - window.start).days * 1440, 1200))
    article = draw.integers(0, 30, 1200)
    rows = pl.DataFrame({"minutes": minutes, "article": article})
    return rows.select(
        (pl.lit(f"s{month}-") + pl.int_range(1200).cast(pl.String)).alias("Sale Nr."),
        (pl.lit(window.start) + pl.duration(minutes="minutes")).alias("sold at"),
        (pl.lit("a") + pl.col("article").cast(pl.String)).alias("article code"),
        (3.5 + (pl.col("article") * 37 % 29) * 1.25).alias("unit price"),
        (pl.col("minutes") // 60 % 24).alias("hour of sale"),
    )


def _alarms(**changed: pl.Expr) -> set[tuple[str, str]]:
    pipeline, past, found = _pipeline(), {}, set()
    for month, window in enumerate(MONTHS):
        rows = _sales(month)
        if month == len(MONTHS) - 1:
            rows = rows.with_columns(value.alias(name.replace("_", " ")) for name, value in changed.items())
        sketches = sketch_window(pipeline, {"sales": rows}, window)
        found = {(alarm.kind, alarm.subject) for alarm in notice(Looked(pipeline, window, sketches, past, {}))}
        past.setdefault("sales", []).append(PastWindow(window, sketches["sales"]))
    return found


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("unit_price", (pl.col("unit price") * 1.13).round(2), "fixed_attribute_changed"),
        ("hour_of_sale", pl.col("hour of sale") + 1, "clock_change"),
    ],
)
def test_what_changes_in_them_is_told(name: str, value: pl.Expr, kind: str) -> None:
    assert (kind, f"sales.{name.replace('_', ' ')}") in _alarms(**{name: value})


def test_what_goes_on_in_them_is_not() -> None:
    assert _alarms() == set()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("type of Amount EUR", "float"), ("type of EUR", "string"), ("twice Nr.+EUR", "one row a key")],
)
def test_the_rule_of_a_row_that_cannot_be_read_says_the_type_of_its_column(rule: str, expected: str) -> None:
    columns = {"Nr.": "integer", "EUR": "string", "Amount EUR": "float"}
    assert expected_type(Feed(files="t.csv", key=("Nr.", "EUR"), columns=columns), rule) == expected
