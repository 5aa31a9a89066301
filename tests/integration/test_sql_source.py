"""What PostgreSQL says, and what its types mean: passed on in one line, compared as instants, never guessed."""

from pathlib import Path

import pytest
from tests.support import postgresql, toy, toy_sql

from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.settings import Settings
from airloop.sources import sql_source
from airloop.sources.extract import extract

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
QUERY = "query: SELECT * FROM jobs,"


@pytest.fixture
def settings(tmp_path: Path, shop_url: str) -> Settings:
    return toy_sql.write_project(tmp_path / "project", REPOSITORY, shop_url)


def fetch(settings: Settings, first: int, end: int) -> None:
    extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(first, end))


def test_a_database_that_goes_away_while_it_answers_lands_nothing_and_is_tried_again(settings: Settings) -> None:
    toy_sql.many_rows(settings, 2, 20_000)
    pipeline = toy.toy_pipeline(settings)
    rows = sql_source.read_rows("jobs", pipeline.feeds["jobs"], toy.days(0, 1), settings)
    next(rows)
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE 'FETCH%'"
    )
    toy_sql.execute(settings, ended)
    with pytest.raises(UpstreamUnavailable, match="feed jobs, connection 'shop': the database does not answer"):
        list(rows)


def test_a_server_that_is_stopped_is_tried_again(settings: Settings, tmp_path: Path) -> None:
    with postgresql.server() as folder:
        stopped = toy_sql.write_project(tmp_path / "other", REPOSITORY, postgresql.url(folder))
    with pytest.raises(UpstreamUnavailable, match="the database does not answer"):
        fetch(stopped, 0, 1)
    assert toy_sql.landed(stopped) == {}


@pytest.mark.parametrize(
    ("query", "error", "says"),
    [
        ("SELECT * FROM nosuch", ConfigError, 'the database refuses the query: relation "nosuch" does not exist'),
        (
            "SELECT *, now() AS more FROM jobs WHERE 1 / (size - size) = 1",
            ConfigError,
            "refuses the query: division by zero",
        ),
        ("SELECT *, now() AS more FROM jobs", ConfigError, "not declared ['more']"),
        (
            "SELECT job, machine, planned_at, starts_at, size, updated_at::timestamp FROM jobs WHERE false",
            DataContractError,
            "column 'updated_at' has no time zone, which is never guessed: cast it in the query",
        ),
        (
            "SELECT job, machine, planned_at::timestamp, starts_at, size, updated_at FROM jobs",
            DataContractError,
            "column 'planned_at' of the row job j1: '2020-01-01 00:00:01': no time zone",
        ),
        (
            "SELECT job, machine, planned_at, starts_at, 'NaN'::float AS size, updated_at FROM jobs",
            DataContractError,
            "column 'size' of the row job j1: 'nan': no integer",
        ),
        (
            "SELECT job, machine, planned_at, 'infinity'::timestamptz AS starts_at, size, updated_at FROM jobs",
            DataContractError,
            "column 'starts_at' of the row job j1: '9999-12-31 23:59:59.999999+00:00': infinity",
        ),
    ],
)
def test_what_postgresql_says_is_passed_on_in_one_line(
    settings: Settings, query: str, error: type[Exception], says: str
) -> None:
    toy_sql.many_rows(settings, 1, 1)
    toy_sql.declare(settings, QUERY, f'query: "{query}",')
    with pytest.raises(error) as refused:
        fetch(settings, 0, 1)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_row_without_watermark_is_refused_and_not_overlooked(settings: Settings) -> None:
    toy_sql.many_rows(settings, 1, 1, updated="NULL")
    with pytest.raises(DataContractError, match="column 'updated_at' of the row job j1: 'None': every row needs one"):
        fetch(settings, 0, 1)


def test_instants_are_compared_as_instants_whatever_the_sessions_zone(settings: Settings) -> None:
    toy_sql.many_rows(settings, 1, 1, updated="timestamptz '2020-01-02 00:30+05'")
    toy_sql.execute(settings, "ALTER ROLE postgres SET timezone = 'Asia/Tokyo'")
    try:
        fetch(settings, 0, 1)
    finally:
        toy_sql.execute(settings, "ALTER ROLE postgres RESET timezone")
    assert "2020-01-01T19:30:00.000000Z" in str(toy_sql.landed(settings))


def test_the_types_of_postgresql_arrive_as_declared(settings: Settings) -> None:
    toy_sql.many_rows(settings, 1, 1)
    toy_sql.declare(
        settings,
        QUERY,
        'query: "SELECT gen_random_uuid()::uuid AS job, 1.50::numeric AS machine, planned_at, starts_at, '
        '7.00::numeric AS size, updated_at FROM jobs",',
    )
    fetch(settings, 0, 1)
    (line,) = str(toy_sql.landed(settings)).split("\\n")[1:-1]
    assert '"1.50"' in line
    assert ",7," in line
