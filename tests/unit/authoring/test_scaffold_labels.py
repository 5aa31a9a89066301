"""The label of a pipeline that `airloop pipelines new` made: its values are declared, any other one is not a class."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import tables, toy
from tests.support.run_plainly import run_plainly

from airloop.authoring.pipeline_check import check_pipeline
from airloop.authoring.scaffold import NamedRoles, new_pipeline
from airloop.config import load_pipeline
from airloop.data.ingest import ingest
from airloop.data.validate_raw import validate_raw
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError
from airloop.features import examples
from airloop.records import Validated, Window
from airloop.settings import Settings
from airloop.sources.land_days import land_table
from airloop.sources.land_dialect import Dialect

ORDERS = tables.orders()


@pytest.fixture(scope="module")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = toy.write_project(tmp_path_factory.mktemp("orders") / "project", Settings().project_dir)
    path = tables.write(settings.project_dir.parent / "orders.csv", ORDERS)
    new_pipeline("returns", path, NamedRoles(label="returned"), Dialect(), settings)
    land_table(load_pipeline("returns", settings), "events", path, Dialect(), settings)
    return settings


@pytest.fixture
def made(_made_once: Settings, tmp_path: Path) -> Settings:
    """A pipeline made of ORDERS, whose inputs have landed."""
    return toy.copied(_made_once, tmp_path / "copy")


def sold(settings: Settings, returned: Callable[[int, str], str]) -> Callable[[], Validated]:
    """Its outcomes landed with other labels; the validation of all of them."""
    labels = [returned(place, row["returned"]) for place, row in enumerate(ORDERS)]
    path = tables.write(settings.project_dir / "outcomes.csv", tables.with_column(ORDERS, "returned", labels))
    pipeline = load_pipeline("returns", settings)
    window = Window(pipeline.coverage.start, pipeline.coverage.end)
    land_table(pipeline, "outcomes", path, Dialect(), settings)
    ingested = run_plainly(ingest, Deployment(pipeline, settings), window)
    return lambda: run_plainly(validate_raw, Deployment(pipeline, settings), window, ingested=ingested)


@pytest.mark.parametrize("spelled", ["Yes", "yes ", "TRUE", "partly"])
def test_a_label_spelled_another_way_is_quarantined_and_never_counts_as_the_other_class(
    made: Settings, spelled: str
) -> None:
    validated = sold(made, lambda place, value: spelled if place < 10 else value)()
    (check,) = [check for check in validated.checks if check.table == "outcomes"]
    assert check.bad_rows == 10
    assert check.critical == ("expect_column_values_to_be_in_set(returned)",)


def test_too_many_labels_spelled_another_way_fail_the_window_with_one_of_them(made: Settings) -> None:
    run = sold(made, lambda _place, value: value.upper())
    with pytest.raises(DataContractError, match=r"in_set\(returned\) 600 .*returned=(YES|NO)"):
        run()


def test_a_class_that_nobody_declared_fails_the_window_that_is_full_of_it(made: Settings) -> None:
    run = sold(made, lambda place, value: "exchanged" if place % 10 < 7 else value)
    with pytest.raises(DataContractError, match=r"in_set\(returned\) 420 .*returned=exchanged"):
        run()


def test_labels_as_they_were_declared_pass(made: Settings) -> None:
    assert sold(made, lambda _place, value: value)().bad_rows == 0


def test_a_label_that_got_past_its_rule_is_an_error_in_sql_and_never_a_class(made: Settings) -> None:
    run = sold(made, lambda place, value: "Yes" if place < 10 else value)
    path = made.pipelines_dir / "returns" / "expectations.yaml"
    text = path.read_text()
    rule = re.compile(r" {4}- \{type: expect_column_values_to_be_in_set,\s+kwargs: \{column: returned,.*\n")
    assert len(rule.findall(text)) == 1
    path.write_text(rule.sub("", text))
    pipeline = load_pipeline("returns", made)
    assert any("outcomes.returned makes the label" in line for line in check_pipeline("returns", made))
    run()
    with pytest.raises(ConfigError, match="returned: Yes is not a declared value"):
        examples.labels(pipeline, Window(pipeline.coverage.start, pipeline.coverage.end), made)
