"""expectations.yaml: what it may hold, and that each kind of mistake is refused with its place."""

from pathlib import Path

import pytest

from airloop.config import Pipeline, load_pipeline, load_pipelines
from airloop.data.expectations import Expectations, Rule, check_tables, load_expectations
from airloop.errors import ConfigError
from airloop.settings import Settings

PROJECT = Path(__file__).parents[3]

KEY = "{type: expect_column_values_to_not_be_null, kwargs: {column: sale_id}, severity: critical}"
PRICE_NULLS = "{type: expect_column_values_to_not_be_null, kwargs: {column: price}, severity: warning}"


def sales() -> Pipeline:
    columns = {"sale_id": "string", "sold_at": "timestamp", "price": "float"}
    feed = {"files": "{day}.csv", "key": ["sale_id"], "event_time": "sold_at", "columns": columns}
    declared = load_pipeline("flight_delays", Settings(project_dir=PROJECT)).model_dump()
    return Pipeline.model_validate({**declared, "name": "shop", "feeds": {"sales": feed}})


def load(tmp_path: Path, text: str) -> Expectations:
    folder = tmp_path / "include" / "pipelines" / "shop"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "expectations.yaml").write_text(text)
    return load_expectations(sales(), Settings(project_dir=tmp_path))


def suite(*rules: str) -> str:
    return "raw:\n  sales:\n" + "".join(f"    - {rule}\n" for rule in rules)


def test_every_declared_pipeline_has_rules_for_every_feed() -> None:
    settings = Settings(project_dir=PROJECT)
    pipelines = load_pipelines(settings)
    assert pipelines
    for pipeline in pipelines:
        assert set(load_expectations(pipeline, settings).raw) == set(pipeline.feeds)


def test_a_complete_suite_is_read_in_its_order(tmp_path: Path) -> None:
    assert [rule.name for rule in load(tmp_path, suite(KEY, PRICE_NULLS)).raw["sales"]] == [
        "expect_column_values_to_not_be_null(sale_id)",
        "expect_column_values_to_not_be_null(price)",
    ]


def test_rules_may_compute_with_the_rows_of_tables_and_the_length_of_the_window(tmp_path: Path) -> None:
    rule = (
        "{type: expect_table_row_count_to_be_between, "
        'kwargs: {min_value: {$PARAMETER: "sales_rows * 0.5 + window_days"}}, severity: warning}'
    )
    assert len(load(tmp_path, suite(KEY, rule)).raw["sales"]) == 2


BETWEEN = "{type: expect_column_values_to_be_between, kwargs: {column: price, min_value: 0%s}, severity: %s}"
REFUSED = {
    "unknown layer": (suite(KEY) + "feature: {}\n", "feature: unknown key; did you mean 'features'"),
    "unknown key of a rule": (suite(KEY.replace("kwargs", "kwarg")), "kwarg: unknown key; did you mean 'kwargs'"),
    "unknown table": (suite(KEY) + "  sale: []\n", "unknown table 'sale'; did you mean 'sales'"),
    "unknown expectation": (
        suite(KEY.replace("not_be_null", "not_be_nul")),
        "raw.sales.0.type: unknown expectation 'expect_column_values_to_not_be_nul'; "
        "did you mean 'expect_column_values_to_not_be_null'",
    ),
    "unknown argument": (suite(PRICE_NULLS, BETWEEN % (", maxvalue: 1", "critical")), "raw.sales.1.kwargs"),
    "unknown column": (suite(KEY.replace("sale_id", "sal_id")), "sales has no column 'sal_id'; did you mean 'sale_id'"),
    "wrong severity": (suite(KEY.replace("critical", "fatal")), "raw.sales.0.severity"),
    "no rules for a feed": ("raw: {}\n", "'sales' has no rules"),
    "an empty suite": ("raw: {sales: []}\n", "'sales' has no rules"),
    "unknown parameter": (
        suite("{type: expect_table_row_count_to_equal, kwargs: {value: {$PARAMETER: sale_rows}}, severity: warning}"),
        "unknown parameter 'sale_rows'; did you mean 'sales_rows'",
    ),
    "nulls that pass a critical rule": (suite(KEY, BETWEEN % ("", "critical")), "a null in 'price' passes"),
    "tolerance of a critical row rule": (suite(PRICE_NULLS, BETWEEN % (", mostly: 0.9", "critical")), "max_bad_share"),
    "an empty file": ("", "is empty"),
    "no YAML": ("raw: [", "not readable as YAML"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_refused_with_its_place_and_the_nearest_valid_word(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert says in str(refused.value)
    assert "expectations.yaml" in str(refused.value)


def test_nulls_of_a_warning_need_no_second_rule(tmp_path: Path) -> None:
    assert load(tmp_path, suite(KEY, BETWEEN % ("", "warning")))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        load_expectations(sales(), Settings(project_dir=tmp_path))


def test_a_view_without_rules_is_refused() -> None:
    rule = Rule(type="expect_column_values_to_not_be_null", kwargs={"column": "key"}, severity="critical")
    check_tables({"view": (rule,)}, {"view": ["key"]}, place="features")
    with pytest.raises(ConfigError, match="table 'other' has no rules"):
        check_tables({"view": (rule,)}, {"view": ["key"], "other": ["key"]}, place="features")
