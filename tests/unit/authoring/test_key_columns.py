"""What looks like a key in one table and is none in the next: not inferred, and refused by name where it cannot be."""

from pathlib import Path

import polars as pl
import pytest
from tests.support import tables

from airloop.authoring.scaffold.columns import find_columns
from airloop.authoring.scaffold.key_columns import counts_rows
from airloop.authoring.scaffold.named_roles import NamedRoles
from airloop.authoring.scaffold.roles import Roles, find_roles
from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import read_table

ORDERS = tables.without(tables.orders(), "remark")
NUMBERS = [str(number) for number in range(len(ORDERS))]


def roles_of(folder: Path, rows: list[dict[str, str]], **asked: object) -> Roles:
    return find_roles(read_table(tables.write(folder / "t.csv", rows), Dialect()), NamedRoles(**asked))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Unnamed: 0", "index", "row", "row_number", "rownum", "nr", "n", "id"])
def test_a_column_that_counts_the_rows_is_no_key_and_no_feature(tmp_path: Path, name: str) -> None:
    rows = [{name: number, **row} for number, row in zip(NUMBERS, tables.without(ORDERS, "order_id"), strict=True)]
    table = read_table(tables.write(tmp_path / "t.csv", rows), Dialect())
    roles = find_roles(table, NamedRoles(label="returned"))
    assert name not in roles.key
    columns, _ = find_columns(table, roles)
    assert {column.name: column.why_not for column in columns}[name] == "it counts the rows of the file"


@pytest.mark.parametrize("first", [1, 10000])
def test_the_counted_ids_of_a_database_are_a_key(tmp_path: Path, first: int) -> None:
    rows = tables.with_column(ORDERS, "order_id", [str(first + number) for number in range(len(ORDERS))])
    assert roles_of(tmp_path, rows).key == ("order_id",)


def test_numbers_in_another_order_count_nothing() -> None:
    assert not counts_rows(pl.Series("n", [0, 2, 1]))
    assert not counts_rows(pl.Series("n", [5, 6, 7]))
    assert counts_rows(pl.Series("n", [0, 1, 2]))


def test_where_only_a_row_number_is_unique_the_refusal_names_it(tmp_path: Path) -> None:
    plain = tables.without(ORDERS, "order_id", "paid_at", "amount")
    twice = [{"n": str(number), **row} for number, row in enumerate([*plain, *plain])]
    with pytest.raises(ConfigError, match="'n' counts the rows of this file: --key n only where the next file goes on"):
        roles_of(tmp_path, twice, label="returned")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([f"{1000000 + number}.0" for number in range(600)], "have been floats, like '1000000.0'"),
        ([f"o{number}" for number in range(599)] + ["o7 "], "row 600: 'o7 ' has blanks at an end"),
        ([f"o{number}" for number in range(599)] + ["o\u200b7"], r"row 600: 'o\\u200b7' has U\+200B"),
    ],
)
def test_a_given_key_that_ingestion_would_refuse_is_refused(tmp_path: Path, values: list[str], says: str) -> None:
    rows = tables.with_column(ORDERS, "order_id", values)
    with pytest.raises(DataContractError, match=says):
        roles_of(tmp_path, rows, key=("order_id",))
    assert roles_of(tmp_path, rows, label="returned").key != ("order_id",)


def test_a_header_with_something_unseen_is_refused(tmp_path: Path) -> None:
    rows = [{"a\u200b": "1", **row} for row in ORDERS]
    with pytest.raises(DataContractError, match=r"the column 'a\\u200b' has U\+200B"):
        roles_of(tmp_path, rows)


def test_the_nearest_key_is_named_with_its_collisions(tmp_path: Path) -> None:
    rows = tables.with_column(tables.without(ORDERS, "order_id", "paid_at"), "order_id", NUMBERS)
    rows = [{**row, "order_id": f"o{row['order_id']}"} for row in rows]
    rows[7] = {**rows[3], "amount": "999.5"}
    with pytest.raises(ConfigError) as refused:
        roles_of(tmp_path, rows, label="returned")
    says = str(refused.value)
    assert "Nearest is order_id: 2 rows share it with another, first order_id=o3 (rows 4 and 8, which differ in" in says
    assert "amount" in says.rpartition("differ in")[2]
