"""Tables beside the first become static feeds, joined by a column; what does not join is refused by name."""

from pathlib import Path

import pytest
from tests.support import tables
from tests.support.command import Airloop

from airloop.config import load_pipeline
from airloop.settings import Settings

ORDERS = tables.with_column(tables.orders(), "customer_id", [f"c{number % 40}" for number in range(600)])
CUSTOMERS = [
    {
        "customer_id": f"c{number}",
        "country": ["AT", "DE"][number % 2],
        "age": f"{20 + number}",
        "Größe": f"{150 + number}",
    }
    for number in range(38)
]


def new(airloop: Airloop, settings: Settings, customers: list[dict[str, str]], *more: str) -> tuple[int, str, str]:
    orders = tables.write(settings.project_dir / "orders.csv", ORDERS)
    beside = tables.write(settings.project_dir / "customers.csv", customers)
    more = more or ("--table", f"customers={beside}", "--join", "customer_id")
    done = airloop("pipelines", "new", "returns", "--from", str(orders), "--label", "returned", *more)
    return done.code, done.out, " ".join(done.err.split())


def test_a_table_beside_the_rows_becomes_a_static_feed_and_features(toy_settings: Settings, airloop: Airloop) -> None:
    code, said, _ = new(airloop, toy_settings, CUSTOMERS)
    assert code == 0
    assert "customers: 38 rows of" in said
    assert "look: 30 of 600 rows have no customer_id in customers" in said
    assert f"airloop land returns customers {toy_settings.project_dir / 'customers.csv'}" in said
    pipeline = load_pipeline("returns", toy_settings)
    assert pipeline.feeds["customers"].static
    assert pipeline.feeds["customers"].key == ("customer_id",)
    definitions = (toy_settings.feature_repo_dir / "returns.py").read_text()
    for feature in ("customers_country", "customers_age", "customers_groesse", 'name="country"'):
        assert feature in definitions
    done = airloop("test", "returns")
    assert (done.code, "ok, 4 rows as expected" in done.out) == (0, True)
    written = (toy_settings.pipelines_dir / "returns" / "tests" / "two_rows.yaml").read_text()
    assert "customers_age: '20'" in written
    assert "Größe" in written


@pytest.mark.parametrize(
    ("customers", "more", "says"),
    [
        (
            [*CUSTOMERS, CUSTOMERS[3]],
            (),
            "2 rows of {customers} share their customer_id with another, first customer_id=c3",
        ),
        (tables.without(CUSTOMERS, "customer_id"), (), "--join: {customers} has no column 'customer_id'"),
        (
            [{**row, "customer_id": f"C-{row['customer_id']}"} for row in CUSTOMERS],
            (),
            "no row of {orders} finds its customer_id in {customers}: 'c0' there, 'C-c0' here",
        ),
        (CUSTOMERS, ("--join", "customer_id"), "there is no --table NAME=FILE to join"),
        (CUSTOMERS, ("--table", "customers.csv", "--join", "customer_id"), "write NAME=FILE"),
        (CUSTOMERS, ("--table", "events={customers}", "--join", "customer_id"), "the name is taken"),
        (CUSTOMERS, ("--table", "a={customers}"), "give one for all, or one for each"),
    ],
)
def test_what_does_not_join_is_refused_and_nothing_is_written(
    toy_settings: Settings, airloop: Airloop, customers: list[dict[str, str]], more: tuple[str, ...], says: str
) -> None:
    paths = {name: Path(toy_settings.project_dir / f"{name}.csv") for name in ("customers", "orders")}
    code, _, refused = new(airloop, toy_settings, customers, *(item.format(**paths) for item in more))
    assert code == 1
    assert says.format(**paths) in refused
    assert not (toy_settings.pipelines_dir / "returns").exists()
