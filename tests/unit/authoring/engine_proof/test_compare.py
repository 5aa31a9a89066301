"""Two engines' rows of a section: equal in any order, or every difference is seen."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from airloop.authoring.engine_proof import compare

NAN = float("nan")
AT = datetime(2013, 3, 1, tzinfo=UTC)


def rows(**columns: list[object]) -> pa.Table:
    return pa.table({name: pa.array(values) for name, values in columns.items()})


OURS = rows(key=["a", "b", "c", None], n=[1, 2, 3, 4], x=[0.1, NAN, None, 1e9], at=[AT, AT, None, AT])


def test_the_same_rows_in_another_order_are_equal() -> None:
    compared = compare("view", OURS, OURS.take([3, 1, 0, 2]))
    assert compared.equal
    assert (compared.reference_rows, compared.engine_rows, compared.shown) == (4, 4, ())


def test_numbers_of_other_types_and_last_digits_are_equal() -> None:
    theirs = OURS.set_column(1, "n", pa.array([1.0, 2.0, 3.0, 4.0])).set_column(
        2, "x", pa.array([0.1 + 1e-12, NAN, None, 1e9 + 0.1])
    )
    assert compare("view", OURS, theirs).equal


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("key", ["a", "b", "C", None]),
        ("key", ["a", "b", "c", ""]),
        ("key", ["a", "b", "c ", None]),
        ("n", [1, 2, 3, 5]),
        ("x", [0.1001, NAN, None, 1e9]),
        ("x", [0.1, None, None, 1e9]),
        ("x", [0.1, NAN, NAN, 1e9]),
        ("x", [0.1, NAN, 0.0, 1e9]),
        ("x", [0.1, NAN, None, float("inf")]),
        ("at", [AT, AT, AT, AT]),
        ("at", [AT, AT, None, AT.replace(microsecond=1)]),
    ],
)
def test_one_other_value_is_one_row_that_differs(column: str, values: list[object]) -> None:
    place = OURS.schema.get_field_index(column)
    compared = compare("view", OURS, OURS.set_column(place, column, pa.array(values)))
    assert compared.differing == 1
    assert [line[:11] for line in compared.shown] == ["only duckdb", "only engine"]


@pytest.mark.parametrize("lost", [[0, 1, 2], [0, 1, 2, 3, 3], [0, 1, 2, 2], []])
def test_a_row_that_is_missing_or_doubled_differs(lost: list[int]) -> None:
    compared = compare("view", OURS, OURS.take(pa.array(lost, pa.int64())))
    assert not compared.equal
    assert compared.shown


def test_a_column_that_only_one_has_or_of_another_kind_differs() -> None:
    for theirs in (OURS.drop(["x"]), OURS.set_column(1, "n", pa.array(["1", "2", "3", "4"]))):
        compared = compare("view", OURS, theirs)
        assert compared.differing == 4
        assert compared.shown[0].startswith("columns: duckdb has ")


def test_two_empty_tables_are_equal() -> None:
    assert compare("view", OURS.slice(0, 0), OURS.slice(0, 0)).equal


def test_no_more_than_a_few_rows_are_shown() -> None:
    many = rows(key=[str(n) for n in range(100)])
    compared = compare("view", many, rows(key=[str(n + 50) for n in range(100)]))
    assert compared.differing == 50
    assert len(compared.shown) == 12
    assert compared.shown[5] == "only duckdb: and 45 rows more"
