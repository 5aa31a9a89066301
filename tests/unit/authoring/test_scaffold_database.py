"""`pipelines new` from a database: feeds that fetch, types that stay, no password written or said."""

import json
import os
import sqlite3
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from tests.support import tables

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Ingested, Window
from airloop.run import stage_run
from airloop.settings import Settings, load_settings
from airloop.sources import database_table
from airloop_platform import cli

QUERY = 'SELECT order_id, ordered_at, amount, country, remark, "größe", updated_at, returned FROM orders'
SECRET = "pa55-of-shop"


@pytest.fixture
def project(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    path = toy_settings.project_dir / f"{SECRET}.sqlite"
    columns = 'order_id, ordered_at, amount REAL, country, remark, "größe" INTEGER, updated_at, returned'
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE orders ({columns})")
        for number, row in enumerate(tables.orders()):
            at = row["ordered_at"]
            values = (
                row["order_id"],
                at,
                row["amount"],
                row["country"],
                row["remark"],
                number % 7,
                at,
                row["returned"],
            )
            database.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    database.close()
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    monkeypatch.setenv("AIRLOOP_CONNECTIONS", json.dumps({"shop": f"sqlite:///{path}"}))
    return load_settings()


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    said = capsys.readouterr()
    assert left.value.code == code, said.err + said.out
    return said.out + said.err


def new(capsys: pytest.CaptureFixture[str], query: str = QUERY, *more: str, code: int = 0) -> str:
    return run(capsys, "pipelines", "new", "returns", "--connection", "shop", "--query", query, *more, code=code)


def test_its_feeds_fetch_from_the_connection_and_a_window_lands_the_rows(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    said = new(capsys)
    assert "airloop land" not in said
    assert "AIRFLOW_CONN_SHOP in the environment of the platform" in said
    assert "airloop run extract returns --end 2021-04-19T00:00:00Z" in said
    pipeline = load_pipeline("returns", project)
    assert pipeline.feeds["events"].source.watermark == "ordered_at"
    assert pipeline.feeds["outcomes"].source.watermark == "updated_at"
    assert pipeline.feeds["outcomes"].source.query.endswith("FROM orders) AS source_rows WHERE returned IS NOT NULL")
    window = Window.parse("2021-03-01T00:00:00Z", "2021-03-08T00:00:00Z")
    stage_run.run_stage("extract", Deployment(pipeline, project), window, upstream={})
    ingested = stage_run.run_stage("ingest", Deployment(pipeline, project), window, upstream={})
    assert isinstance(ingested, Ingested)
    assert {table.table: table.rows for table in ingested.tables} == {"events": 84, "outcomes": 84}


def test_no_url_and_no_password_is_written_or_said(project: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = new(capsys, "SELECT nothing FROM nowhere", code=1)
    assert "the database refuses the query" in wrong
    assert SECRET not in wrong
    said = new(capsys)
    written = "".join(
        path.read_text()
        for folder in (project.pipelines_dir / "returns", project.feature_repo_dir)
        for path in folder.rglob("*")
        if path.is_file()
    )
    assert SECRET not in said + written + " ".join(sys.argv)


def test_a_connection_of_airflow_is_read_from_its_variable(
    project: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = json.loads(os.environ["AIRLOOP_CONNECTIONS"])["shop"]
    monkeypatch.delenv("AIRLOOP_CONNECTIONS")
    assert "there is no such connection" in new(capsys, code=1)
    held = json.dumps({"conn_type": "sqlite", "host": url.removeprefix("sqlite:///")})
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", held)
    assert SECRET not in new(capsys)


@pytest.mark.parametrize(
    ("more", "query", "says"),
    [
        (("--from", "orders.csv"), QUERY, "by --from TABLE.csv, or by --connection ID --query 'SELECT ...'"),
        (("--watermark", "updatet_at"), QUERY, "did you mean 'updated_at'"),
        (("--watermark", "country"), QUERY, "no timestamp in every row; of those there are: ordered_at, updated_at"),
        ((), f"{QUERY} -- all", "leave out comments"),
        ((), f"{QUERY} WHERE 1 = 0", "holds no row"),
        ((), "SELECT order_id, amount, returned FROM orders", "no column is a timestamp with a time zone"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_written(
    project: Settings, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], query: str, says: str
) -> None:
    assert says in " ".join(new(capsys, query, *more, code=1).split())
    assert not (project.pipelines_dir / "returns").exists()


def test_without_a_column_that_says_when_a_row_was_written_late_labels_are_pointed_out(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    said = new(capsys, QUERY.replace("updated_at, ", ""))
    assert "a label that is written later is not seen" in said
    assert load_pipeline("returns", project).feeds["outcomes"].source.watermark == "ordered_at"


AT = datetime(2021, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("0123", "string", "0123"),
        ("2021-03-01T12:00:00Z", "timestamp", "2021-03-01T12:00:00.000000Z"),
        (AT, "timestamp", "2021-03-01T12:00:00.000000Z"),
        (Decimal("12.50"), "float", "12.50"),
        (7, "integer", "7"),
        (True, "boolean", "true"),
        (UUID(int=1), "string", "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_type_of_the_database_is_what_the_feed_declares(value: object, kind: str, text: str) -> None:
    table = database_table._table(Path("q"), ["at", "value"], [(AT, value), (AT, None)])
    assert table.kinds["value"] == kind
    assert table.texts["value"].to_list() == [text, None]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (date(2021, 3, 1), "it holds date: cast it in the query, at a midnight you choose"),
        (datetime(2021, 3, 1), "no time zone"),
        (float("nan"), "not finite: write NULL"),
        (b"x", "it holds bytes"),
    ],
)
def test_a_column_that_landing_would_refuse_is_left_out_with_the_cast_that_mends_it(value: object, why: str) -> None:
    table = database_table._table(Path("q"), ["at", "value"], [(AT, value)])
    assert why in table.left_out["value"]
    with pytest.raises(DataContractError, match=r"AT TIME ZONE 'UTC'"):
        database_table._table(Path("q"), ["value"], [(value,)])
