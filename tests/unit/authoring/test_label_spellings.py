"""One class written in several ways is not several classes; words for missing are none; classes that differ pass."""

from pathlib import Path

import polars as pl
import pytest
from tests.support import tables

from airloop.authoring.scaffold import label_spellings
from airloop.authoring.scaffold.named_roles import NamedRoles
from airloop.authoring.scaffold.roles import find_roles
from airloop.errors import DataContractError
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import read_table

ORDERS = tables.orders()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param(["Y", "N", "y"], "'Y', 'y' look like one class", id="case"),
        pytest.param(["Y", "N", " Y"], "' Y', 'Y' look like one class", id="a blank"),
        pytest.param(["Y", " Y"], "look like one class", id="a blank alone"),
        pytest.param(["Y", "N", "Y\u200b"], "look like one class", id="a zero-width space"),
        pytest.param(["Y", "N", "\uff39"], "look like one class", id="a wide letter"),
        pytest.param(["yes", "no", "True"], "'True', 'yes' look like one class", id="True beside yes"),
        pytest.param(["ja", "nein", "True"], "'True', 'ja' look like one class", id="True beside ja"),
        pytest.param(["1", "0", "N", "Y"], "'1', 'Y' look like one class", id="digits beside letters"),
        pytest.param(["air", "rail", "Rail"], "'Rail', 'rail' look like one class", id="a class in two ways"),
        pytest.param(["Y", "N", "NA"], "has 'NA' among its 3 values: add --missing 'NA'", id="a word for missing"),
        pytest.param(["Y", "None"], "has 'None' among its 2 values", id="a word for missing alone"),
    ],
)
def test_one_class_in_several_ways_and_words_for_missing_are_refused(values: list[str], says: str) -> None:
    with pytest.raises(DataContractError, match="label 'returned'") as refused:
        label_spellings.refuse(Path("t.csv"), pl.Series("returned", sorted(values)))
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "label",
    [
        pytest.param(pl.Series("x", ["Y", "N"]), id="two"),
        pytest.param(pl.Series("x", ["yes", "no", "maybe"]), id="yes, no and more"),
        pytest.param(pl.Series("x", ["Oui", "Non"]), id="two of another language"),
        pytest.param(pl.Series("x", ["air", "rail", "road"]), id="classes"),
        pytest.param(pl.Series("x", ["t", "f", "true story"]), id="words that begin alike"),
        pytest.param(pl.Series("x", [0, 1, None]), id="whole numbers"),
        pytest.param(pl.Series("x", [True, False]), id="booleans"),
        pytest.param(pl.Series("x", [None], dtype=pl.String), id="none at all"),
    ],
)
def test_classes_that_differ_pass(label: pl.Series) -> None:
    label_spellings.refuse(Path("t.csv"), label)


def test_a_new_pipeline_asks_and_takes_the_answer(tmp_path: Path) -> None:
    labels = ["Yes" if place % 7 == 0 else row["returned"] for place, row in enumerate(ORDERS)]
    path = tables.write(tmp_path / "t.csv", tables.with_column(ORDERS, "returned", labels))
    table = read_table(path, Dialect())
    with pytest.raises(DataContractError, match="look like one class written in several ways"):
        find_roles(table, NamedRoles(label="returned"))
    assert find_roles(table, NamedRoles(label="returned", task="multiclass")).classes == ("Yes", "no", "yes")


@pytest.mark.parametrize(
    ("yes", "no"),
    [("yes", "no"), ("Ja", "Nein"), ("oui", "non"), ("S\u00ed", "No"), ("\u0434\u0430", "\u043d\u0435\u0442")],
)
def test_of_two_words_yes_stands_for_1_also_where_it_is_the_frequent_one(tmp_path: Path, yes: str, no: str) -> None:
    labels = [no if place % 7 == 0 else yes for place in range(len(ORDERS))]
    path = tables.write(tmp_path / "t.csv", tables.with_column(ORDERS, "returned", labels))
    assert find_roles(read_table(path, Dialect()), NamedRoles(label="returned")).classes == (no, yes)


def test_of_two_other_words_the_rare_one_stands_for_1(tmp_path: Path) -> None:
    labels = ["kept" if place % 7 else "returned" for place in range(len(ORDERS))]
    path = tables.write(tmp_path / "t.csv", tables.with_column(ORDERS, "returned", labels))
    assert find_roles(read_table(path, Dialect()), NamedRoles(label="returned")).classes == ("kept", "returned")
