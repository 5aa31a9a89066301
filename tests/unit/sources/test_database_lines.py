"""What a line says of a value is what landing reads back; what could be read as something else is refused."""

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airloop.config import Feed
from airloop.data import file_rows
from airloop.errors import DataContractError
from airloop.sources import database_lines

COLUMNS = {"name": "string", "count": "integer", "share": "float", "ok": "boolean", "at": "timestamp"}
FEED = Feed(files="table.csv", columns=COLUMNS, key=("name",), as_written=("name",))
ROWS = st.tuples(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.none(),
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    st.booleans() | st.none(),
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)) | st.none(),
)


def landing_rows(content: bytes) -> list[Any]:
    table = file_rows.parse("table.csv", content, FEED, span=None, max_bad_share=0.0)
    return pl.DataFrame(table).select(list(FEED.columns)).rows()


# Of two rows of one key landing takes neither: tests/unit/test_file_rows.py.
@given(st.lists(ROWS, max_size=20, unique_by=lambda row: row[0]))
def test_landing_reads_back_the_very_values(rows: list[Any]) -> None:
    text = database_lines.header(FEED) + "".join(database_lines.line("table", FEED, row) for row in rows)
    assert landing_rows(text.encode()) == rows


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("name", "", '""'),
        ("name", None, ""),
        ("name", 'a "b",\nc', '"a ""b"",\nc"'),
        ("name", 12, '"12"'),
        ("name", Decimal("1.50"), '"1.50"'),
        ("name", UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ("count", Decimal("3.00"), "3"),
        ("share", 3, "3"),
        ("share", Decimal("0.10"), "0.10"),
        ("ok", 1, "true"),
        ("ok", False, "false"),
        ("at", "2020-01-01T01:00:00+01:00", "2020-01-01T00:00:00.000000Z"),
        ("at", datetime(2020, 1, 1, 0, 0, 0, 7, tzinfo=UTC), "2020-01-01T00:00:00.000007Z"),
        ("at", datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=-5))), "2020-01-01T05:00:00.000000Z"),
    ],
)
def test_a_value_is_written_as(column: str, value: object, text: str) -> None:
    row = [value if name == column else None for name in COLUMNS]
    written = database_lines.line("table", FEED, row)
    before = list(COLUMNS).index(column)
    assert written == "," * before + text + "," * (len(COLUMNS) - 1 - before) + "\n"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", True),
        ("name", 1.5),
        ("name", b"x"),
        ("name", datetime(2020, 1, 1, tzinfo=UTC)),
        ("count", True),
        ("count", 1.0),
        ("count", "1"),
        ("count", Decimal("1.5")),
        ("count", Decimal("NaN")),
        ("count", 2**63),
        ("share", math.nan),
        ("share", math.inf),
        ("share", Decimal("1e400")),
        ("share", "0.1"),
        ("share", True),
        ("ok", 2),
        ("ok", "true"),
        ("ok", 1.0),
        ("at", datetime(2020, 1, 1)),
        ("at", "2020-01-01T00:00:00"),
        ("at", datetime(2020, 1, 1).date()),
        ("at", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))),
    ],
)
def test_a_value_of_another_type_is_refused(column: str, value: object) -> None:
    row = [value if name == column else None for name in COLUMNS]
    with pytest.raises(DataContractError, match=f"feed table: column '{column}' of the row name"):
        database_lines.line("table", FEED, row)
