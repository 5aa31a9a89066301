"""What the stage extract refuses: each with a message that says what, where and what to do, and never a secret."""

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support import toy, toy_sql

from airloop.deployment import Deployment
from airloop.errors import AirloopError, ConfigError, DataContractError, UpstreamUnavailable
from airloop.settings import Settings
from airloop.sources.extract import extract

REPOSITORY = Path(__file__).parents[3]
SECRET = "s3cr3t/pass word"
QUERY = "query: SELECT * FROM jobs,"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_sql.write_project(tmp_path / "project", REPOSITORY, f"sqlite:///{tmp_path}/shop.db")


def refusal(settings: Settings, error: type[AirloopError]) -> str:
    with pytest.raises(error) as refused:
        extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(0, 1))
    assert toy_sql.landed(settings) == toy_sql.landed(settings, "machines") == {}
    return str(refused.value)


def insert(settings: Settings, **values: object) -> None:
    noon = "2020-01-01T12:00:00Z"
    row = {"job": "a", "machine": "m1", "planned_at": noon, "starts_at": noon, "size": 1, "updated_at": noon, **values}
    names = ", ".join(row)
    statement = sa.text(f"INSERT INTO jobs ({names}) VALUES (:{', :'.join(row)})")
    toy_sql.execute(settings, statement.bindparams(**row))


def test_an_unknown_connection_says_how_to_add_it(settings: Settings) -> None:
    message = refusal(settings.model_copy(update={"connections": {}}), ConfigError)
    assert "feed jobs, connection 'shop': there is no such connection" in message
    for way in ("airflow connections add shop", "AIRFLOW_CONN_SHOP", "AIRLOOP_CONNECTIONS"):
        assert way in message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("{secret}", "not a SQLAlchemy URL"),
        ("nosuch://u:{secret}@h/d", "not a SQLAlchemy URL of a known database"),
        ("postgresql://u:{secret}@h:port/d", "not a SQLAlchemy URL"),
        ("mssql+pymssql://u:{secret}@h/d", "driver is not installed (No module named 'pymssql')"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_being_shown(settings: Settings, url: str, says: str) -> None:
    message = refusal(settings.model_copy(update={"connections": {"shop": url.format(secret=SECRET)}}), ConfigError)
    assert says in message
    assert SECRET not in message


def test_a_database_that_does_not_answer_is_tried_again(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    url = sa.URL.create("postgresql+psycopg2", "u", SECRET, "127.0.0.1", 1, "shop")
    connections = {"shop": url.render_as_string(hide_password=False)}
    caplog.set_level(logging.DEBUG)
    message = refusal(settings.model_copy(update={"connections": connections}), UpstreamUnavailable)
    assert "feed jobs, connection 'shop': the database does not answer" in message
    for text in (message, caplog.text, repr(settings.model_copy(update={"connections": connections}))):
        assert [part for part in (SECRET, "s3cr3t", str(url)) if part in text] == []


def test_a_database_file_that_cannot_be_opened_is_tried_again(settings: Settings, tmp_path: Path) -> None:
    connections = {"shop": f"sqlite:///{tmp_path}/nosuch/shop.db"}
    assert "unable to open" in refusal(settings.model_copy(update={"connections": connections}), UpstreamUnavailable)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * FROM nosuch", "the database refuses the query: no such table: nosuch"),
        ("SELECT nosuch FROM jobs", "no such column: nosuch"),
        ("SELECT * FROM jobs WHERE", 'near ")": syntax error'),
        ("SELECT job, machine, planned_at, starts_at, updated_at FROM jobs", "missing ['size'], not declared []"),
        ("SELECT *, 1 AS more FROM jobs", "missing [], not declared ['more']"),
        (
            "SELECT job, machine, planned_at, starts_at, size AS Size, updated_at FROM jobs",
            "missing ['size'], not declared ['Size']",
        ),
    ],
)
def test_a_wrong_query_is_refused(settings: Settings, query: str, says: str) -> None:
    toy_sql.declare(settings, QUERY, f"query: {query!r},")
    insert(settings)
    assert says in refusal(settings, ConfigError)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"updated_at": None}, "column 'updated_at' of the row job a: 'None': every row needs one"),
        ({"planned_at": None}, "column 'planned_at' of the row job a: 'None': every row needs one"),
        ({"planned_at": "2020-01-01 12:00:00"}, "'planned_at' of the row job a: '2020-01-01 12:00:00'"),
        ({"starts_at": b"5"}, "a bytes, not a timestamp: cast it in the query"),
        ({"starts_at": "soon"}, "is not an instant with its UTC offset"),
        ({"updated_at": "2020-01-01T23:00:00-02:00"}, "compares it as text"),
        ({"size": "x"}, "column 'size' of the row job a: 'x': no integer"),
        ({"machine": b"m1"}, "a bytes, not text: cast it in the query"),
    ],
)
def test_a_value_that_does_not_surely_mean_its_type_is_refused(
    settings: Settings, values: dict[str, object], says: str
) -> None:
    insert(settings, **values)
    assert says in refusal(settings, DataContractError)


def test_rows_out_of_order_are_refused(settings: Settings) -> None:
    insert(settings, job="a", planned_at="2020-01-03T23:30:00Z")
    insert(settings, job="b", planned_at="2020-01-04T00:10:00Z")
    insert(settings, job="c", planned_at="2020-01-04T00:30:00+02:00")
    assert "rows do not come in the order of planned_at" in refusal(settings, DataContractError)


def test_a_query_with_a_comment_a_colon_and_a_percent_sign_is_run_as_it_is(settings: Settings) -> None:
    query = (
        "SELECT job, machine || ' 12:30 :x 5%' AS machine, planned_at, starts_at, size, updated_at FROM jobs; -- end"
    )
    toy_sql.declare(settings, QUERY, f'query: "{query}",')
    insert(settings)
    with pytest.raises(ConfigError, match="the database refuses the query"):
        extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(0, 1))
    toy_sql.declare(settings, "FROM jobs; -- end", "FROM jobs -- end")
    extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(0, 1))
    assert '"m1 12:30 :x 5%"' in next(iter(toy_sql.landed(settings).values()))


def test_a_landing_folder_that_cannot_be_written_is_tried_again(settings: Settings) -> None:
    folder = Path(settings.landing_uri) / "toy"
    folder.mkdir(parents=True)
    (folder / "machines").write_text("a file where a folder should be")
    with pytest.raises(UpstreamUnavailable, match="landing folder"):
        extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(0, 1))


def test_a_pipeline_without_a_source_has_nothing_to_extract(toy_settings: Settings) -> None:
    with pytest.raises(ConfigError, match="no feed has a `source`"):
        extract(Deployment(toy.toy_pipeline(toy_settings), toy_settings), toy.days(0, 1))
