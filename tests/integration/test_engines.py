"""features.sql on a real PostgreSQL and a real Spark Connect server: every row as DuckDB has it, or refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import engines
from tests.support.engine_cases import AGGREGATES, EMPTY, EXPRESSIONS, QUERIES, ROWS
from tests.support.engines import Sides

from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.features import engine_session
from airloop.features.engines.engine import EngineError

pytestmark = pytest.mark.integration

NAMES = ("postgres", "spark")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with engines.urls(tmp_path_factory.mktemp("engines")) as found:
        yield found


@pytest.fixture(scope="module")
def sides(addresses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    feeds = {"rows": ROWS, "others": ROWS.slice(0, 6), "nothing": EMPTY}
    with engines.sides(feeds, addresses, tmp_path_factory.mktemp("home")) as both:
        yield both


def differences(sides: Sides, engine: str, queries: list[str]) -> list[str]:
    """What is not equal, a line each; an error of the engine is one too."""
    found = []
    for sql in queries:
        try:
            compared = sides.compared(engine, sql)
        except Exception as error:
            found.append(f"{sql}: {type(error).__name__} {' '.join(str(error).split())[:300]}")
            continue
        if not compared.equal:
            found.append(f"{sql}: {compared.shown}")
    return found


@pytest.mark.parametrize("engine", NAMES)
def test_every_expression_on_the_list_gives_the_same_rows_at_its_edges(sides: Sides, engine: str) -> None:
    assert differences(sides, engine, [f"SELECT id, {made} AS made FROM rows" for made in EXPRESSIONS]) == []


@pytest.mark.parametrize("engine", NAMES)
def test_every_expression_gives_no_row_for_an_empty_table(sides: Sides, engine: str) -> None:
    some = EXPRESSIONS[::7]
    assert differences(sides, engine, [f"SELECT id, {made} AS made FROM nothing" for made in some]) == []


@pytest.mark.parametrize("engine", NAMES)
def test_every_aggregate_on_the_list_gives_the_same_rows(sides: Sides, engine: str) -> None:
    by_key = [f"SELECT b, {made} AS made FROM rows WHERE id < 10 GROUP BY b" for made in AGGREGATES]
    by_each = [f"SELECT id, {made} AS made FROM rows WHERE id < 10 GROUP BY id" for made in AGGREGATES]
    of_nothing = [f"SELECT {made} AS made FROM nothing" for made in AGGREGATES]
    assert differences(sides, engine, [*by_key, *by_each, *of_nothing]) == []


@pytest.mark.parametrize("engine", NAMES)
def test_every_form_of_query_on_the_list_gives_the_same_rows(sides: Sides, engine: str) -> None:
    assert differences(sides, engine, QUERIES) == []


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("made", ["i + i", "i * 4", "-3 * i"])
def test_whole_numbers_that_overflow_raise_on_every_engine(sides: Sides, engine: str, made: str) -> None:
    import duckdb

    with pytest.raises(duckdb.Error, match="Overflow"):
        sides.reference(f"SELECT {made} AS made FROM rows")
    with pytest.raises(EngineError):
        sides.rows(engine, f"SELECT {made} AS made FROM rows")


def test_the_list_is_needed_sqlglot_alone_is_silent_and_wrong(sides: Sides) -> None:
    import sqlglot

    from airloop.authoring.engine_proof import compare

    for made in ("isodow(t)", "k / 3.0", "date_diff('minute', t, u)"):
        sql = f"SELECT id, {made} AS made FROM rows"
        printed = sqlglot.transpile(sql, read="duckdb", write="spark")[0]
        assert not compare("probe", sides.reference(sql), sides.raw("spark", printed)).equal, made
        assert sides.compared("spark", sql).equal, made


def test_a_session_leaves_nothing_behind_and_sees_nothing_of_another(addresses: dict[str, str], tmp_path: Path) -> None:
    for name, url in addresses.items():
        settings = engines.settings_of(name, url, home=tmp_path)
        kind = engines.ENGINES[name]
        with kind.session(settings, engines.WINDOW) as one, kind.session(settings, engines.WINDOW) as other:
            one.put("rows", ROWS)
            other.put("rows", ROWS.slice(0, 2))
            one.step("counted", "SELECT count(*) AS n FROM rows")
            assert one.query("SELECT n FROM counted")["n"].to_pylist() == [12]
            with pytest.raises(EngineError):
                other.query("SELECT n FROM counted")
        with kind.session(settings, engines.WINDOW) as later, pytest.raises(EngineError):
            later.query("SELECT * FROM rows")


def test_an_engine_says_its_version_and_one_that_is_away_says_so(addresses: dict[str, str], tmp_path: Path) -> None:
    said = {
        name: engine_session.engine_version(engines.settings_of(name, url, home=tmp_path))
        for name, url in addresses.items()
    }
    assert said["postgres"].startswith("postgres 1")
    assert said["spark"].startswith("spark 4.")
    away = {"postgres": "postgresql://nobody@127.0.0.1:9/none", "spark": "sc://127.0.0.1:9"}
    for name, url in away.items():
        with pytest.raises(UpstreamUnavailable, match=f"engine {name} does not answer"):
            engine_session.engine_version(engines.settings_of(name, url, home=tmp_path))
        with pytest.raises(ConfigError, match="AIRLOOP_ENGINE_URL"):
            engine_session.engine_version(engines.settings_of(name, "http://127.0.0.1", home=tmp_path))
