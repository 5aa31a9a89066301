"""What a query's text says: its tokens are its meaning, its tables are those it reads."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airloop.features import sql_text

SPACE = st.sampled_from([" ", "\n", "  \t", " -- why\n", " /* why */ ", " /* a /* nested */ 'x' */ ", "\r\n"])
WORDS = ("SELECT", "a", ",", "'--x  y'", "AS", '"b  --c"', "FROM", "jobs", "WHERE", "n", ">", "$$ -- z $$")


@given(st.lists(SPACE, min_size=len(WORDS), max_size=len(WORDS)))
def test_comments_and_white_space_between_words_change_no_token(spaces: list[str]) -> None:
    text = "".join(word + space for word, space in zip(WORDS, spaces, strict=True))
    assert sql_text.tokens(text) == WORDS


@given(st.text(), st.text())
def test_two_texts_have_equal_tokens_only_when_their_literals_are_equal(one: str, other: str) -> None:
    def tokens(value: str) -> tuple[str, ...]:
        return sql_text.tokens("SELECT '{}' AS a".format(value.replace("'", "''")))

    assert (tokens(one) == tokens(other)) is (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CASE WHEN code = '--x' THEN 1 END", "CASE WHEN code = '--y' THEN 2 END"),
        ("'a  b'", "'a b'"),
        ("'/* x */'", "'/* y */'"),
        ("E'\\n'", "E'\\t'"),
        ("$$a -- b$$", "$$a -- c$$"),
        ('"a  b"', '"a b"'),
        ("1.0", "1.00"),
        ("'a' || 'b'", "'a' || 'B'"),
    ],
)
def test_every_literal_and_quoted_name_counts(one: str, other: str) -> None:
    assert sql_text.tokens(f"SELECT {one} FROM t") != sql_text.tokens(f"SELECT {other} FROM t")


def test_a_closing_semicolon_and_what_follows_it_count_for_nothing() -> None:
    assert sql_text.tokens("SELECT 1; -- the end\n") == sql_text.tokens("SELECT 1")


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT heat FROM jobs -- machines", {"jobs"}),
        ("SELECT 'heat' AS x FROM jobs /* heat */", {"jobs"}),
        ("SELECT jobs.heat FROM jobs", {"jobs"}),
        ("FROM jobs", {"jobs"}),
        ('SELECT * FROM main.Jobs, "heat"', {"jobs", "heat"}),
        ("SELECT * FROM jobs ASOF JOIN heat USING (a)", {"jobs", "heat"}),
        ("SELECT * FROM jobs WHERE EXISTS (SELECT 1 FROM machines)", {"jobs", "machines"}),
        ("SELECT (SELECT max(x) FROM heat) FROM jobs ORDER BY 1", {"jobs", "heat"}),
        ("SELECT a FROM jobs UNION ALL BY NAME SELECT a FROM heat", {"jobs", "heat"}),
        ("WITH jobs AS (SELECT * FROM heat) SELECT * FROM jobs", {"heat"}),
        ("WITH jobs AS (SELECT * FROM jobs) SELECT * FROM jobs", {"jobs"}),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b, jobs", {"jobs"}),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r, jobs", {"jobs"}),
        ("SELECT (WITH heat AS (SELECT 1 AS x) SELECT x FROM heat) FROM heat", {"heat"}),
        ("SELECT * FROM (PIVOT jobs ON a IN (1, 2) USING sum(b))", {"jobs"}),
        ("SELECT 1", set()),
    ],
)
def test_the_tables_of_a_query_are_those_it_reads(sql: str, tables: set[str]) -> None:
    assert sql_text.tables_read(sql) == tables


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM query_table('heat')", "SELECT * FROM query('FROM heat')", "PIVOT jobs ON a USING sum(b)"]
)
def test_a_query_that_makes_the_names_of_its_tables_may_read_any(sql: str) -> None:
    assert sql_text.tables_read(sql) is None


def test_text_that_is_no_sql_has_no_tables() -> None:
    with pytest.raises(duckdb.ParserException):
        sql_text.tables_read("SELECT 1 FRM jobs")


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "FROM jobs", "WITH a AS (SELECT 1) FROM a;", "PIVOT jobs ON a USING sum(b)"]
)
def test_one_query_that_reads_is_no_problem(sql: str) -> None:
    assert sql_text.problem(sql) == ""


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("COPY jobs TO 'x'", "is a COPY"),
        ("ATTACH 'x'", "is a ATTACH"),
        ("SET threads = 1", "is a SET"),
        ("SET VARIABLE lead_minutes = 0", "is a SET"),
        ("CREATE TABLE x AS SELECT 1", "is a CREATE"),
        ("INSERT INTO jobs SELECT 1", "is a INSERT"),
        ("SELECT 1; SELECT 2", "holds 2 queries"),
        ("", "holds 0 queries"),
    ],
)
def test_what_is_not_one_query_that_reads_is_named(sql: str, says: str) -> None:
    assert says in sql_text.problem(sql)
