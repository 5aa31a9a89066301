"""What `pipelines new` infers from a table: key, time, label, task, features, coverage, calendar, rules."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.support import tables

from airloop.authoring.scaffold.columns import entity_key, find_columns, identifier
from airloop.authoring.scaffold.named_roles import NamedRoles
from airloop.authoring.scaffold.plan import make_plan
from airloop.authoring.scaffold.roles import Roles, find_roles
from airloop.authoring.scaffold.rules import feed_rules, flow
from airloop.authoring.scaffold.suspects import find_suspects
from airloop.config.calendar import period_end
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import Table, read_table

ORDERS = tables.orders()


def table_of(folder: Path, rows: list[dict[str, str]], dialect: Dialect | None = None) -> Table:
    return read_table(tables.write(folder / "orders.csv", rows), dialect or Dialect())


def roles_of(folder: Path, rows: list[dict[str, str]], **asked: object) -> Roles:
    return find_roles(table_of(folder, rows), NamedRoles(**asked))  # type: ignore[arg-type]


def test_key_time_and_label_of_a_plain_table(tmp_path: Path) -> None:
    roles = roles_of(tmp_path, ORDERS)
    assert (roles.key, roles.time, roles.label, roles.task) == (("order_id",), "ordered_at", "returned", "binary")
    assert roles.classes == ("no", "yes")
    assert entity_key(roles) == "order_id"


def test_a_column_named_like_a_key_goes_before_other_unique_ones(tmp_path: Path) -> None:
    rows = tables.with_column(ORDERS, "customerId", [f"c{number}" for number in range(len(ORDERS))])
    assert roles_of(tmp_path, tables.without(rows, "order_id")).key == ("customerId",)


def test_a_measurement_is_no_key_so_a_text_with_the_time_is(tmp_path: Path) -> None:
    plain = tables.without(ORDERS, "order_id", "remark")
    both = [row for row in plain for _ in (0, 1)]
    shops = tables.with_column(both, "shop", ["north", "south"] * len(plain))
    roles = roles_of(tmp_path, shops, label="returned")
    assert roles.key == ("shop", "ordered_at")
    assert entity_key(roles) == "row_id"


def test_a_time_that_never_repeats_is_a_key(tmp_path: Path) -> None:
    roles = roles_of(tmp_path, tables.without(ORDERS, "order_id", "remark"))
    assert roles.key == ("ordered_at",)
    assert entity_key(roles) == "row_id"


def test_the_time_is_the_first_timestamp_that_is_always_there(tmp_path: Path) -> None:
    paid_first = [{"paid_at": row["paid_at"], **row} for row in ORDERS]
    assert roles_of(tmp_path, paid_first).time == "ordered_at"
    both = tables.with_column(ORDERS, "paid_at", [row["ordered_at"] for row in ORDERS])
    assert roles_of(tmp_path, both).other_times == ("paid_at",)
    assert roles_of(tmp_path, both, time="paid_at").time == "paid_at"


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["0", "1"], "binary", (0, 1)),
        (["true", "false"], "binary", (False, True)),
        (["ok", "late", "ok"], "binary", ("ok", "late")),  # the rarer one stands for 1
        (["1", "2", "2"], "binary", (2, 1)),
        (["0.0", "1.0"], "binary", (0.0, 1.0)),
        (["low", "mid", "high"], "multiclass", ("high", "low", "mid")),
        (["3", "1", "2"], "multiclass", (1, 2, 3)),
        ([str(number) for number in range(11)], "regression", ()),
        (["1.5", "2.5", "3.5"], "regression", ()),
    ],
)
def test_the_task_follows_from_the_labels_values(
    tmp_path: Path, values: list[str], task: str, classes: tuple[object, ...]
) -> None:
    rows = tables.with_column(ORDERS, "y", (values * len(ORDERS))[: len(ORDERS)])
    roles = roles_of(tmp_path, rows)
    assert (roles.label, roles.task, roles.classes) == ("y", task, classes)


def test_a_task_may_be_asked_for(tmp_path: Path) -> None:
    rows = tables.with_column(ORDERS, "stars", [str(number % 5) for number in range(len(ORDERS))])
    assert roles_of(tmp_path, rows).task == "multiclass"
    assert roles_of(tmp_path, rows, task="regression").task == "regression"


def test_the_label_is_the_last_column_that_fits(tmp_path: Path) -> None:
    rows = tables.with_column(ORDERS, "prose", [f"text {number}" for number in range(len(ORDERS))])
    rows = tables.with_column(rows, "constant", ["1"] * len(ORDERS))
    assert roles_of(tmp_path, rows).label == "returned"
    assert roles_of(tmp_path, rows, label="amount").task == "regression"


def test_features_are_what_varies_and_can_be_compared(tmp_path: Path) -> None:
    rows = tables.with_column(ORDERS, "month", ["1"] * len(ORDERS))
    rows = tables.with_column(rows, "shop", ["x"] * len(ORDERS))
    rows = tables.with_column(rows, "nothing", [""] * len(ORDERS))
    table = table_of(tmp_path, rows)
    columns, left_out = find_columns(table, find_roles(table, NamedRoles(label="returned")))
    assert [column.feature for column in columns if column.feature] == ["amount", "country", "new_customer"]
    assert [column.name for column in columns if column.why_not] == ["remark", "paid_at", "shop"]
    assert set(left_out) == {"month", "nothing"}
    assert {column.name: column.kind for column in columns}["order_id"] == "string"


def test_names_that_airloop_or_sql_use_get_another_one(tmp_path: Path) -> None:
    rows = [{"Order Nr.": row["order_id"], **tables.without([row], "order_id")[0]} for row in ORDERS]
    rows = tables.with_column(rows, "part", [row["amount"] for row in ORDERS])
    rows = tables.with_column(rows, "Total (EUR)", [row["amount"] for row in ORDERS])
    table = table_of(tmp_path, rows)
    roles = find_roles(table, NamedRoles(key=("Order Nr.",), label="returned"))
    columns, _ = find_columns(table, roles)
    features = {column.name: column.feature for column in columns}
    assert (features["part"], features["Total (EUR)"]) == ("part_value", "total_eur")
    assert entity_key(roles) == "order_nr"
    assert identifier("2nd class") == "column_2nd_class"


@pytest.mark.parametrize(
    ("days", "rows", "calendar", "start", "cutoff"),
    [
        (20, 600, "daily", "2021-03-01", "2021-03-20"),
        (50, 600, "weekly", "2021-03-01", "2021-04-12"),
        (120, 600, "monthly", "2021-03-01", "2021-05-01"),
        (50, 150, "monthly", "2021-03-01", "2021-04-01"),  # a week has 21 rows: too few for anything
    ],
)
def test_the_calendar_is_the_longest_of_which_there_are_several_with_rows_in_them(
    tmp_path: Path, days: int, rows: int, calendar: str, start: str, cutoff: str
) -> None:
    table = table_of(tmp_path, tables.orders(rows, days))
    plan = make_plan(table, find_roles(table, NamedRoles()))
    assert (plan.calendar, f"{plan.start:%Y-%m-%d}", f"{plan.cutoff:%Y-%m-%d}") == (calendar, start, cutoff)
    assert (plan.end - plan.start).days == days


@pytest.mark.parametrize(("days", "rows", "scored_until"), [(50, 600, "2021-04-19"), (50, 150, None)])
def test_a_first_training_leaves_a_period_to_score_where_the_older_rows_are_enough(
    tmp_path: Path, days: int, rows: int, scored_until: str | None
) -> None:
    table = table_of(tmp_path, tables.orders(rows, days))
    plan = make_plan(table, find_roles(table, NamedRoles()))
    assert (f"{plan.scored_until:%Y-%m-%d}" if plan.scored_until else None) == scored_until
    assert plan.scored_until is None or period_end(plan.calendar, plan.cutoff) == plan.scored_until


def test_monitoring_asks_for_half_of_a_periods_labelled_rows_and_not_of_all(tmp_path: Path) -> None:
    rows = tables.orders(4000, 120)
    few = tables.with_column(rows, "returned", [row["returned"] if not n % 5 else "" for n, row in enumerate(rows)])
    plans = [
        make_plan(table, find_roles(table, NamedRoles(label="returned")))
        for table in (table_of(tmp_path, found) for found in (rows, few))
    ]
    assert plans[0].min_policy_rows == plans[0].rows_a_period // 2
    assert plans[1].min_policy_rows == pytest.approx(plans[1].rows_a_period / 10, abs=1)


def test_a_comparison_gets_its_14_days_where_the_table_has_them(tmp_path: Path) -> None:
    held_out = {}
    for days in (8, 30, 50, 200):
        table = table_of(tmp_path, tables.orders(1000, days))
        held_out[days] = make_plan(table, find_roles(table, NamedRoles())).holdout_days
    assert held_out == {8: 2, 30: 7, 50: 14, 200: 28}


@pytest.mark.parametrize(
    ("rows", "days", "calendar", "over_days", "holdout_days"),
    [
        (600, 50, "weekly", None, 14),  # twelve a day
        (400, 400, "monthly", 30, 30),  # one a day: half of a usual month is fewer rows than a metric needs
        (300, 2100, "monthly", 204, 210),  # one a week
        (240, 7305, "monthly", 884, 913),  # one a month
    ],
)
def test_where_rows_are_few_a_look_and_a_holdout_are_as_long_as_they_need(
    tmp_path: Path, rows: int, days: int, calendar: str, over_days: int | None, holdout_days: int
) -> None:
    table = table_of(tmp_path, tables.orders(rows, days))
    plan = make_plan(table, find_roles(table, NamedRoles(label="returned")))
    assert (plan.calendar, plan.over_days, plan.holdout_days) == (calendar, over_days, holdout_days)


def test_rows_that_come_in_batches_are_compared_on_14_days_that_have_some(tmp_path: Path) -> None:
    batches = [
        {**row, "ordered_at": f"{day:%Y-%m-%d}T08:00:00Z"} for row, day in zip(ORDERS, _fortnights(), strict=True)
    ]
    table = table_of(tmp_path, batches)
    plan = make_plan(table, find_roles(table, NamedRoles(key=("order_id",), time="ordered_at", label="returned")))
    assert plan.over_days == 13 * 14 + 1
    assert plan.holdout_days >= 13 * 14


def _fortnights() -> list[datetime]:
    """Ten orders on each of sixty days, two weeks apart."""
    return [tables.START + timedelta(days=14 * (number // 10)) for number in range(len(ORDERS))]


@pytest.mark.parametrize(
    ("column", "label", "says"),
    [
        ("late", "returned", "tells the label apart by itself (ROC-AUC 1.000)"),
        ("fate", "returned", "goes with one label at each of its values"),
        ("fate", "size", "goes with one label at each of its values"),
        ("weight", "size", "tells the classes apart by itself (ROC-AUC at least 1.000)"),
        ("double", "amount", "moves with the label (rank correlation 1.000)"),
    ],
)
def test_a_column_that_tells_the_label_by_itself_is_suspected(
    tmp_path: Path, column: str, label: str, says: str
) -> None:
    sizes = [("S", "M", "L")[number % 3] for number in range(len(ORDERS))]
    rows = tables.with_column(ORDERS, "size", sizes)
    made = {
        "late": [f"{number % 7 + (10 if row['returned'] == 'yes' else 0)}" for number, row in enumerate(ORDERS)],
        "weight": [f"{number % 5 + 10 * 'SML'.index(row['size'])}" for number, row in enumerate(rows)],
        "fate": [f"so {row[label]}" for row in rows],
        "double": [f"{2 * float(row['amount']):.2f}" for row in ORDERS],
    }
    table = table_of(tmp_path, tables.with_column(rows, column, made[column]))
    roles = find_roles(table, NamedRoles(label=label))
    columns, _ = find_columns(table, roles)
    assert find_suspects(table.values(), roles, columns) == {column: says}


def test_the_floor_is_what_saying_always_the_same_scores(tmp_path: Path) -> None:
    plain = tables.without(ORDERS, "returned")
    half = tables.with_column(plain, "y", ["0", "1"] * 300)
    thirds = tables.with_column(plain, "y", ["a", "b", "c"] * 200)
    far = tables.with_column(plain, "y", [f"{number % 2 * 10}.5" if number % 4 else "0.5" for number in range(600)])
    floors = []
    for rows in (half, thirds, far):
        table = table_of(tmp_path, rows)
        floors.append(round(make_plan(table, find_roles(table, NamedRoles(label="y"))).floor, 2))
    assert floors == [0.25, 1.1, 5.0]


def test_rules_are_as_strict_as_the_table_was(tmp_path: Path) -> None:
    table = table_of(tmp_path, tables.with_column(ORDERS, "age", ["", *["30", "40"] * 299, "50"]))
    roles = find_roles(table, NamedRoles(label="returned"))
    columns, _ = find_columns(table, roles)
    rules = " ".join(" ".join(feed_rules(columns, roles.key, make_plan(table, roles))).split())
    assert "expect_column_values_to_be_unique, kwargs: {column: order_id}, severity: critical" in rules
    assert "expect_column_values_to_not_be_null, kwargs: {column: amount}, severity: critical" in rules
    assert "{column: age, mostly: 0.49}, severity: warning} # 1 of 600 lack it" in rules
    assert "{column: age, min_value: 10, max_value: 70}, severity: critical} # seen 30 to 50" in rules
    assert "{column: country, value_set: [AT, CH, DE]}, severity: warning" in rules
    assert "min_value: {$PARAMETER: window_days * 4}, max_value: {$PARAMETER: window_days * 36}" in rules
    assert "remark, value_set" not in rules


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("DE", "DE"),
        ("NO", "'NO'"),
        ("a, b", "'a, b'"),
        ("1", "'1'"),
        (["x, y", "true"], "['x, y', 'true']"),
        (1e20, "1.0e+20"),
        ("ä", "ä"),
        ("2013-01-01", "'2013-01-01'"),
        ({"query": "SELECT *\nFROM orders: 'a'"}, """{query: "SELECT *\\nFROM orders: 'a'"}"""),
    ],
)
def test_what_yaml_would_read_as_something_else_is_quoted(value: object, text: str) -> None:
    assert flow(value) == text
    assert yaml.safe_load(text) == value


def test_a_crowded_table_has_rules_without_exponents(tmp_path: Path) -> None:
    table = table_of(tmp_path, ORDERS)
    roles = find_roles(table, NamedRoles())
    crowded = replace(make_plan(table, roles), rows_a_day=2_345_678.9)
    assert (
        "window_days * 780000}, max_value: {$PARAMETER: window_days * 7000000}"
        in list(feed_rules((), roles.key, crowded))[-1]
    )


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Größe (m)", "groesse_m"),
        ("Übergabe", "uebergabe"),
        ("Возраст", "vozrast"),
        ("年齢", "nian_ling"),
        ("prénom", "prenom"),
        ("%", "column_"),
        ("amount", "amount"),
    ],
)
def test_headers_in_any_script_become_names_that_can_be_read(header: str, name: str) -> None:
    assert identifier(header) == name
    assert identifier(header).isidentifier()


NAMES, ENDS = ("ann", "bob", "cleo", "dan"), ("came late", "was broken", "fits well", "is too small", "looks fine")


@pytest.mark.parametrize(
    ("texts", "becomes"),
    [
        ([f"breed {number % 110}" for number in range(600)], "category"),
        ([f"breed {number % 300}" for number in range(600)], "nothing"),
        ([f"please ring twice, flat {number}" for number in range(600)], "nothing"),
        ([f"{number:x}ab {number:x}cd {number:x}ef {number:x}gh" for number in range(600)], "nothing"),
        ([f"{NAMES[number % 4]} says it {ENDS[number % 5]}, order {number}" for number in range(600)], "nothing"),
        ([f"it came late on day {number % 100} and was sent back" for number in range(600)], "text"),
    ],
)
def test_texts_that_come_again_are_categories_and_others_are_read_by_their_words(
    tmp_path: Path, texts: list[str], becomes: str
) -> None:
    table = table_of(tmp_path, tables.with_column(ORDERS, "breed", texts))
    columns, _ = find_columns(table, find_roles(table, NamedRoles(label="returned")))
    found = next(column for column in columns if column.name == "breed")
    assert {False: "category", True: "text"}[found.free_text] == becomes if found.feature else becomes == "nothing"
