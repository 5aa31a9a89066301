"""validate: what reaches clean/, what goes to quarantine, and what stops a window."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline, load_pipeline
from airloop.data.validate_features import validate_features
from airloop.data.validate_raw import validate_raw
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError
from airloop.records import BuiltFeatures, Ingested, TableVersion, Validated, Window
from airloop.settings import Settings
from airloop.stores import lake

PROJECT = Path(__file__).parents[3]
DAY = Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC))
NEXT = Window(DAY.end, DAY.end + timedelta(days=1))
NULL_PRICE: dict[str, object] = {"price": None}

RULES = """
raw:
  sales:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: sale_id}, severity: critical}
    - {type: expect_column_values_to_be_unique, kwargs: {column: sale_id}, severity: critical}
    - {type: expect_column_values_to_not_be_null, kwargs: {column: price}, severity: critical}
    - {type: expect_column_values_to_be_between, kwargs: {column: price, min_value: 1}, severity: critical}
    - {type: expect_column_values_to_not_be_null, kwargs: {column: shop, mostly: 0.9}, severity: warning}
    - {type: expect_table_row_count_to_be_between,
       kwargs: {max_value: {$PARAMETER: "window_days * 50"}}, severity: critical}
  shops:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: shop}, severity: critical}
  returns:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: sale_id}, severity: critical}
features:
  shop_hours:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: shop}, severity: critical}
    - {type: expect_column_values_to_not_be_null, kwargs: {column: returned_share}, severity: critical}
    - {type: expect_column_values_to_be_between,
       kwargs: {column: returned_share, min_value: 0, max_value: 1}, severity: critical}
    - {type: expect_column_mean_to_be_between, kwargs: {column: returned_share, max_value: 0.5}, severity: warning}
"""


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    sale = {"sale_id": "string", "shop": "string", "sold_at": "timestamp", "price": "float"}
    feeds = {
        "sales": {"files": "{day}.csv", "key": ["sale_id"], "event_time": "sold_at", "columns": sale},
        "shops": {"files": "shops.csv", "key": ["shop"], "columns": {"shop": "string"}},
        "returns": {
            "files": "{day}.csv",
            "key": ["sale_id"],
            "event_time": "returned_at",
            "outcome": True,
            "columns": {"sale_id": "string", "returned_at": "timestamp"},
        },
    }
    declared = load_pipeline("flight_delays", Settings(project_dir=PROJECT)).model_dump()
    return Pipeline.model_validate({**declared, "name": "shop", "feeds": feeds, "validation": {"max_bad_share": 0.1}})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "include" / "pipelines" / "shop"
    folder.mkdir(parents=True)
    (folder / "expectations.yaml").write_text(RULES)
    return Settings(project_dir=tmp_path, home=tmp_path / "home")


@pytest.fixture
def land(pipeline: Pipeline, settings: Settings) -> Callable[..., None]:
    """Put 20 good sales of a window, with changes by position, and one shop into raw/."""

    def put(changes: dict[int, dict[str, object]] | None = None, *, window: Window = DAY, rows: int = 20) -> None:
        sales = [
            {
                "sale_id": f"{window.start:%d}-{position:02}",
                "shop": "north",
                "sold_at": window.start + timedelta(minutes=position),
                "price": 10.0 + position,
                "known_at": window.start + timedelta(minutes=position),
                "created_at": window.start + timedelta(minutes=position),
                **(changes or {}).get(position, {}),
            }
            for position in range(rows)
        ]
        instants = dict.fromkeys(("sold_at", "known_at", "created_at"), lake.INSTANT)
        schema = pa.schema(
            [("sale_id", pa.string()), ("shop", pa.string()), ("price", pa.float64()), *instants.items()]
        )
        table = pa.Table.from_pylist(sales, schema=schema)
        uri = lake.table_uri(settings, pipeline.name, "raw", "sales")
        lake.replace_window(uri, table, settings, time_column="sold_at", window=window, sort_by=["sale_id"])
        shops = pa.table({"shop": ["north"], "known_at": pa.array([DAY.start], lake.INSTANT)})
        lake.replace_table(lake.table_uri(settings, pipeline.name, "raw", "shops"), shops, settings, sort_by=["shop"])

    return put


@pytest.fixture
def run(pipeline: Pipeline, settings: Settings) -> Callable[..., Validated]:
    def validate(window: Window = DAY) -> Validated:
        return run_plainly(
            validate_raw, Deployment(pipeline, settings), window, ingested=Ingested(window, (), (), ("returns",))
        )

    return validate


@pytest.fixture
def rows(pipeline: Pipeline, settings: Settings) -> Callable[..., list[dict[str, object]]]:
    def read(layer: str, table: str) -> list[dict[str, object]]:
        uri = lake.table_uri(settings, pipeline.name, layer, table)
        found: list[dict[str, object]] = []
        if lake.open_table(uri, settings) is not None:
            found = lake.read(uri, settings).sort_by("sale_id" if table == "sales" else "shop").to_pylist()
        return found

    return read


def ids(found: list[dict[str, object]]) -> list[object]:
    return [row["sale_id"] for row in found]


def test_bad_rows_are_quarantined_with_the_name_of_their_rule_and_the_others_published(land, run, rows) -> None:
    land({3: {"price": -5.0}})
    validated = run()
    assert len(rows("clean", "sales")) == 19
    assert [(row["sale_id"], row["_rule"], row["_window_start"]) for row in rows("quarantine", "sales")] == [
        ("01-03", "expect_column_values_to_be_between(price)", DAY.start)
    ]
    assert validated.bad_rows == 1
    assert {table.table: table.rows for table in validated.tables} == {"sales": 19, "shops": 1}


def test_clean_rows_keep_every_column_that_raw_has(land, run, rows) -> None:
    land()
    run()
    assert rows("clean", "sales") == rows("raw", "sales")
    assert rows("clean", "shops") == rows("raw", "shops")


def test_a_null_never_passes_a_critical_rule_unseen(land, run, rows) -> None:
    land({4: NULL_PRICE})
    run()
    assert ids(rows("quarantine", "sales")) == ["01-04"]


def test_a_row_that_breaks_two_rules_is_one_bad_row_and_names_both(land, run, rows) -> None:
    land({5: {"sale_id": "01-06", "price": -1.0}})
    validated = run()
    assert [check.bad_rows for check in validated.checks if check.table == "sales"] == [2]
    assert {row["_rule"] for row in rows("quarantine", "sales")} == {
        "expect_column_values_to_be_unique(sale_id)",
        "expect_column_values_to_be_unique(sale_id); expect_column_values_to_be_between(price)",
    }


def test_a_share_of_bad_rows_at_the_bound_passes_and_above_it_publishes_nothing(land, run, rows) -> None:
    land({1: NULL_PRICE, 2: NULL_PRICE})
    assert run().bad_rows == 2
    land({1: NULL_PRICE, 2: NULL_PRICE, 3: NULL_PRICE}, window=NEXT)
    with pytest.raises(DataContractError) as refused:
        run(NEXT)
    assert "sales: 3 of 20 rows (15.00%) break a critical rule, more than 10.00%" in str(refused.value)
    assert "02-01: price=null" in str(refused.value)
    assert len(rows("clean", "sales")) == 18
    assert ids(rows("quarantine", "sales")) == ["01-01", "01-02"]


def test_a_critical_rule_about_the_table_fails_the_window_and_no_other_feed_is_published(land, run, rows) -> None:
    land(rows=51)
    with pytest.raises(
        DataContractError, match="expect_table_row_count_to_be_between: observed 51, expected max_value 50"
    ):
        run()
    assert rows("clean", "sales") == rows("clean", "shops") == []


def test_a_warning_is_recorded_and_passes(land, run, rows) -> None:
    land({position: {"shop": None} for position in range(5)})
    checks = {check.table: check for check in run().checks}
    assert checks["sales"].warnings == ("expect_column_values_to_not_be_null(shop)",)
    assert checks["sales"].critical == ()
    assert len(rows("clean", "sales")) == 20


def test_a_rule_that_cannot_be_computed_fails_the_window_whatever_its_severity(land, run, settings: Settings) -> None:
    path = settings.pipelines_dir / "shop" / "expectations.yaml"
    broken = "{type: expect_column_values_to_be_between, kwargs: {column: shop, min_value: 1}, severity: warning}"
    path.write_text(RULES.replace("  shops:\n", f"    - {broken}\n  shops:\n"))
    land()
    with pytest.raises(DataContractError, match=r"expect_column_values_to_be_between\(shop\): could not be computed"):
        run()


def test_a_critical_row_rule_that_breaks_and_names_no_row_fails_the_window(land, run, settings: Settings) -> None:
    path = settings.pipelines_dir / "shop" / "expectations.yaml"
    typed = "{type: expect_column_values_to_be_of_type, kwargs: {column: price, type_: int64}, severity: critical}"
    path.write_text(RULES.replace("  shops:\n", f"    - {typed}\n  shops:\n"))
    land()
    with pytest.raises(DataContractError, match=r"be_of_type\(price\): observed float64, expected type_ int64"):
        run()


def test_a_parameter_that_cannot_be_computed_fails_the_window(land, run, settings: Settings) -> None:
    path = settings.pipelines_dir / "shop" / "expectations.yaml"
    path.write_text(RULES.replace("window_days * 50", "sales_rows / returns_rows"))
    land()
    with pytest.raises(DataContractError, match="could not be computed"):
        run()


def test_a_feed_without_rows_fails_the_window_unless_it_is_an_outcome(land, run) -> None:
    land()
    assert "returns" not in {check.table for check in run().checks}
    with pytest.raises(DataContractError, match="sales: no rows in this window"):
        run(NEXT)


def test_the_same_rows_again_write_no_new_version(land, run, rows) -> None:
    land({3: NULL_PRICE})
    first = run()
    assert run() == first
    assert len(rows("quarantine", "sales")) == 1


def test_corrected_rows_leave_the_quarantine(land, run, rows) -> None:
    land({3: NULL_PRICE})
    run()
    land()
    run()
    assert rows("quarantine", "sales") == []
    assert len(rows("clean", "sales")) == 20


def test_windows_are_published_beside_each_other(land, run, rows) -> None:
    land({3: NULL_PRICE})
    run()
    land({4: NULL_PRICE}, window=NEXT)
    run(NEXT)
    assert len(rows("clean", "sales")) == 38
    assert ids(rows("quarantine", "sales")) == ["01-03", "02-04"]


def test_the_page_needs_no_network_and_names_what_broke(land, run) -> None:
    land({3: {"price": -5.0, "shop": "<b>north"}})
    page = Path(run().report_uri)
    text = page.read_text()
    assert "01-03: price=-5" in text
    assert "http" not in text
    assert "<script" not in text
    content = json.loads(page.with_suffix(".json").read_text())
    assert content["outcome"] == "passed"
    assert content["waiting"] == ["returns"]


def test_a_window_that_fails_leaves_its_page_too(land, run, settings: Settings) -> None:
    land({position: {"sale_id": f"<i>{position}", "price": -1.0} for position in range(9)})
    with pytest.raises(DataContractError) as refused:
        run()
    page = next(Path(settings.reports_uri, "shop", "validation", "raw").glob("*.html"))
    assert str(page) in str(refused.value)
    assert "&lt;i&gt;0: price=-1" in page.read_text()
    assert json.loads(page.with_suffix(".json").read_text())["outcome"] == "failed"
    assert [path.name for path in page.parent.iterdir() if "partial" in path.name] == []


@pytest.fixture
def built(pipeline: Pipeline, settings: Settings) -> Callable[..., BuiltFeatures]:
    def build(shares: list[float], *, view: str = "shop_hours") -> BuiltFeatures:
        instants = [DAY.start + timedelta(hours=hour) for hour in range(len(shares))]
        table = pa.table(
            {"shop": ["north"] * len(shares), "returned_share": shares, "known_at": pa.array(instants, lake.INSTANT)}
        )
        uri = lake.table_uri(settings, pipeline.name, "features", view)
        version: TableVersion = lake.replace_window(
            uri, table, settings, time_column="known_at", window=DAY, sort_by=["known_at"]
        )
        return BuiltFeatures(DAY, (version,))

    return build


def test_good_features_pass_and_are_handed_on_as_they_were_built(pipeline, settings, built) -> None:
    views = built([0.1, 0.9, 0.8])
    validated = validate_features(Deployment(pipeline, settings), DAY, built=views)
    assert validated.tables == views.views
    assert validated.checks[0].warnings == ("expect_column_mean_to_be_between(returned_share)",)
    assert "features" in validated.report_uri


@pytest.mark.parametrize("share", [1.5, float("nan")])
def test_one_bad_feature_row_fails_the_window(pipeline, settings, built, share: float) -> None:
    with pytest.raises(DataContractError, match="shop_hours: 1 of 3 rows"):
        validate_features(Deployment(pipeline, settings), DAY, built=built([0.1, share, 0.2]))


def test_a_view_without_rules_is_refused(pipeline, settings, built) -> None:
    with pytest.raises(ConfigError, match=r"unknown table 'shop_hours'; did you mean 'shop_days'"):
        validate_features(Deployment(pipeline, settings), DAY, built=built([0.1], view="shop_days"))


@pytest.mark.parametrize("strange", [float("inf"), float("-inf"), float("nan")])
def test_a_row_that_is_not_finite_is_quarantined_whatever_the_rules_say(land, run, rows, strange: float) -> None:
    land({3: {"price": strange}})
    assert run().bad_rows == 1
    (refused,) = rows("quarantine", "sales")
    assert "finite(price)" in str(refused["_rule"])
    assert len(rows("clean", "sales")) == 19


def test_a_null_is_not_a_value_that_is_not_finite(land, run, rows) -> None:
    land({3: NULL_PRICE})
    run()
    assert "finite" not in str(rows("quarantine", "sales")[0]["_rule"])


@pytest.mark.parametrize("strange", [float("inf"), float("nan")])
def test_a_feature_that_is_not_finite_fails_the_window_by_view_and_column(pipeline, settings, built, strange) -> None:
    says = r"shop_hours: 1 of 3 rows .*finite\(returned_share\) 1 \(e\.g\. north.*returned_share=(inf|nan)"
    with pytest.raises(DataContractError, match=says):
        validate_features(Deployment(pipeline, settings), DAY, built=built([0.1, strange, 0.2]))
