"""The label of a pipeline that `airloop pipelines new` made: its values are declared, any other one is not a class."""

import re
from collections.abc import Callable

import pytest
from tests.support import tables
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


def sold(settings: Settings, returned: Callable[[int, str], str]) -> Callable[[], Validated]:
    """A pipeline made of ORDERS, and its outcomes landed with other labels; the validation of all of them."""
    path = tables.write(settings.project_dir.parent / "orders.csv", ORDERS)
    new_pipeline("returns", path, NamedRoles(label="returned"), Dialect(), settings)
    labels = [returned(place, row["returned"]) for place, row in enumerate(ORDERS)]
    rows = tables.with_column(ORDERS, "returned", labels)
    pipeline = load_pipeline("returns", settings)
    window = Window(pipeline.coverage.start, pipeline.coverage.end)
    for feed, landed in (("events", ORDERS), ("outcomes", rows)):
        land_table(pipeline, feed, tables.write(path.with_name(f"{feed}.csv"), landed), Dialect(), settings)
    ingested = run_plainly(ingest, Deployment(pipeline, settings), window)
    return lambda: run_plainly(validate_raw, Deployment(pipeline, settings), window, ingested=ingested)


@pytest.mark.parametrize("spelled", ["Yes", "yes ", "TRUE", "partly"])
def test_a_label_spelled_another_way_is_quarantined_and_never_counts_as_the_other_class(
    toy_settings: Settings, spelled: str
) -> None:
    validated = sold(toy_settings, lambda place, value: spelled if place < 10 else value)()
    (check,) = [check for check in validated.checks if check.table == "outcomes"]
    assert check.bad_rows == 10
    assert check.critical == ("expect_column_values_to_be_in_set(returned)",)


def test_too_many_labels_spelled_another_way_fail_the_window_with_one_of_them(toy_settings: Settings) -> None:
    run = sold(toy_settings, lambda _place, value: value.upper())
    with pytest.raises(DataContractError, match=r"in_set\(returned\) 600 .*returned=(YES|NO)"):
        run()


def test_a_class_that_nobody_declared_fails_the_window_that_is_full_of_it(toy_settings: Settings) -> None:
    run = sold(toy_settings, lambda place, value: "exchanged" if place % 10 < 7 else value)
    with pytest.raises(DataContractError, match=r"in_set\(returned\) 420 .*returned=exchanged"):
        run()


def test_labels_as_they_were_declared_pass(toy_settings: Settings) -> None:
    assert sold(toy_settings, lambda _place, value: value)().bad_rows == 0


def test_a_label_that_got_past_its_rule_is_an_error_in_sql_and_never_a_class(toy_settings: Settings) -> None:
    run = sold(toy_settings, lambda place, value: "Yes" if place < 10 else value)
    path = toy_settings.pipelines_dir / "returns" / "expectations.yaml"
    text = path.read_text()
    rule = re.compile(r" {4}- \{type: expect_column_values_to_be_in_set,\s+kwargs: \{column: returned,.*\n")
    assert len(rule.findall(text)) == 1
    path.write_text(rule.sub("", text))
    pipeline = load_pipeline("returns", toy_settings)
    assert any("outcomes.returned makes the label" in line for line in check_pipeline("returns", toy_settings))
    run()
    with pytest.raises(ConfigError, match="returned: Yes is not a declared value"):
        examples.labels(pipeline, Window(pipeline.coverage.start, pipeline.coverage.end), toy_settings)
