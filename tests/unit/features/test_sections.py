"""features.sql: its sections are found or refused by name, and see only what was known in time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import toy

from airloop.config import Pipeline
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.features import sections
from airloop.features.sections import Section
from airloop.settings import Settings
from airloop.stores import lake

WINDOW = toy.days(5, 6)
NOON = datetime(2020, 1, 6, 12, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2020, 1, 5), datetime(2020, 1, 8), timezones=st.just(UTC))


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


def _sql(settings: Settings) -> Path:
    return settings.pipelines_dir / "toy" / "features.sql"


def _rewrite(settings: Settings, old: str, new: str) -> None:
    text = _sql(settings).read_text()
    assert old in text
    _sql(settings).write_text(text.replace(old, new))


def _put_clean(settings: Settings, feed: str, instants: list[datetime], **columns: list[object]) -> None:
    stamps = pa.array(instants, lake.INSTANT)
    rows = pa.table({**columns, "known_at": stamps, "created_at": stamps})
    uri = lake.table_uri(settings, "toy", "clean", feed)
    whole = toy.days(0, 60)
    lake.replace_window(uri, rows, settings, time_column="known_at", window=whole, sort_by=["known_at"])


def _run(pipeline: Pipeline, sql: str, **feeds: pa.Table) -> pa.Table:
    with sections.connect(pipeline, WINDOW, feeds) as connection:
        return sections.query(connection, pipeline, Section("view", "probe", sql))


def test_sections_are_found_in_file_order(toy_settings: Settings, pipeline: Pipeline) -> None:
    found = sections.read_sections(pipeline, toy_settings)
    assert [(section.kind, section.name) for section in found] == [
        ("view", "job_static"),
        ("view", "machine_heat"),
        ("examples", "examples"),
        ("labels", "labels"),
    ]
    assert sections.view_names(pipeline, toy_settings) == ("job_static", "machine_heat")
    assert [section.name for section in sections.feature_sections(pipeline, toy_settings)] == [
        "job_static",
        "machine_heat",
    ]


def test_a_table_or_a_view_may_go_through_a_function(toy_settings: Settings, pipeline: Pipeline) -> None:
    _rewrite(toy_settings, "-- view: job_static\n", "-- table: step through decode_2\nSELECT 1;\n-- view: job_static\n")
    _rewrite(toy_settings, "-- view: machine_heat\n", "-- view: machine_heat through _Embed  \n")
    found = sections.read_sections(pipeline, toy_settings)
    names = ["step", "job_static", "machine_heat", "examples", "labels"]
    assert [section.name for section in found] == names
    assert [section.through for section in found] == ["decode_2", None, "_Embed", None, None]
    assert found[0].sql == "SELECT 1"


@pytest.mark.parametrize("heading", ["-- examples through f", "-- labels through f", "-- view: machine_heat trough f"])
def test_any_other_heading_with_a_function_is_none(toy_settings: Settings, pipeline: Pipeline, heading: str) -> None:
    before = len(sections.read_sections(pipeline, toy_settings))
    _rewrite(toy_settings, heading.rpartition(" t")[0] + "\n", heading + "\n")
    if "view" in heading:
        assert len(sections.read_sections(pipeline, toy_settings)) == before - 1
    else:
        with pytest.raises(ConfigError, match="needs one `-- examples`, one `-- labels`"):
            sections.read_sections(pipeline, toy_settings)


@pytest.mark.parametrize("heading", ["-- examples: with their key", "--examples", "  -- Examples", "-- example"])
def test_what_is_nearly_a_heading_is_named_with_its_line(
    toy_settings: Settings, pipeline: Pipeline, heading: str
) -> None:
    _rewrite(toy_settings, "-- examples\n", heading + "\n")
    with pytest.raises(ConfigError) as refused:
        sections.read_sections(pipeline, toy_settings)
    assert f"nothing else on its line: line 8: '{heading.strip()}'" in str(refused.value)


def test_a_comment_is_no_heading(toy_settings: Settings, pipeline: Pipeline) -> None:
    _rewrite(toy_settings, "-- examples\n", "-- examples of what is to come\n-- examples\n")
    assert len(sections.read_sections(pipeline, toy_settings)) == 4


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("-- examples\n", "-- example\n", "one `-- examples`.*found"),
        ("-- labels\n", "-- label\n", "one `-- labels`.*found"),
        ("-- view: ", "-- feature: ", "at least one `-- view: NAME`"),
        ("-- view: machine_heat", "-- view: job_static", r"twice: \['job_static'\]"),
        ("-- labels\n", "-- examples\n", r"twice: \['examples'\]"),
        ("-- view: machine_heat", "-- table: labels", r"twice: \['labels'\]"),
    ],
)
def test_missing_sections_and_names_used_twice_are_refused_with_the_file(
    toy_settings: Settings, pipeline: Pipeline, old: str, new: str, says: str
) -> None:
    _rewrite(toy_settings, old, new)
    with pytest.raises(ConfigError, match=says) as refused:
        sections.read_sections(pipeline, toy_settings)
    assert str(refused.value).startswith(str(_sql(toy_settings)))


def test_a_pipeline_without_features_sql_is_refused(toy_settings: Settings, pipeline: Pipeline) -> None:
    _sql(toy_settings).unlink()
    with pytest.raises(ConfigError, match=r"features\.sql: missing"):
        sections.read_sections(pipeline, toy_settings)


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nothing FROM heat", "SELECT * FROM nowhere", "SELECT 1 +"])
def test_sql_that_does_not_run_names_file_and_section(pipeline: Pipeline, sql: str) -> None:
    with pytest.raises(ConfigError, match=r"toy/features\.sql:\d+, section probe: "):
        _run(pipeline, sql, heat=pa.table({"celsius": [1.0]}))


def test_a_table_step_that_does_not_run_names_file_and_section(pipeline: Pipeline) -> None:
    with sections.connect(pipeline, WINDOW, {}) as connection, pytest.raises(ConfigError, match="section step: "):
        sections.create_table(connection, pipeline, Section("table", "step", "SELECT * FROM nowhere"))


@pytest.mark.parametrize("sql", ["", "-- nothing but a comment", "SELECT 1 AS a;\n-- veiw: other\nSELECT 2 AS b"])
def test_a_section_that_is_not_one_query_is_refused_because_a_heading_was_mistyped(
    pipeline: Pipeline, sql: str
) -> None:
    with pytest.raises(ConfigError, match=r"section probe: holds [02] queries instead of one"):
        _run(pipeline, sql)
    with sections.connect(pipeline, WINDOW, {}) as connection, pytest.raises(ConfigError, match="section step: holds"):
        sections.create_table(connection, pipeline, Section("table", "step", sql))


def test_table_steps_build_on_each_other(pipeline: Pipeline) -> None:
    with sections.connect(pipeline, WINDOW, {}) as connection:
        sections.create_table(connection, pipeline, Section("table", "a", "SELECT 1 AS n"))
        sections.create_table(connection, pipeline, Section("table", "b", "SELECT n + 1 AS n FROM a"))
        assert sections.query(connection, pipeline, Section("view", "v", "FROM b")).to_pylist() == [{"n": 2}]


def test_the_window_and_the_declared_numbers_are_variables_in_utc(pipeline: Pipeline) -> None:
    names = ("window_start", "window_end", "lookback_days", "lead_minutes")
    (row,) = _run(pipeline, "SELECT " + ", ".join(f"getvariable('{name}') AS {name}" for name in names)).to_pylist()
    assert row == {"window_start": WINDOW.start, "window_end": WINDOW.end, "lookback_days": 3, "lead_minutes": 30}


def test_local_time_in_sql_is_utc_and_timestamps_come_back_in_microseconds(pipeline: Pipeline) -> None:
    rows = _run(pipeline, "SELECT hour(TIMESTAMPTZ '2020-01-01T05:00:00+05:00') AS h, TIMESTAMP_NS '2020-01-01' AS t")
    assert rows["h"].to_pylist() == [0]
    assert rows.schema.field("t").type == lake.INSTANT


@given(known=st.lists(INSTANTS, max_size=8), instant=INSTANTS)
def test_only_known_by_drops_exactly_what_became_known_later(known: list[datetime], instant: datetime) -> None:
    rows = pa.table({"number": range(len(known)), "known_at": pa.array(known, lake.INSTANT)})
    kept = sections.only_known_by({"heat": rows}, instant)["heat"]
    assert kept["number"].to_pylist() == [number for number, at in enumerate(known) if at <= instant]


def test_what_is_known_at_the_instant_itself_is_kept() -> None:
    stamps = [NOON - timedelta.resolution, NOON, NOON + timedelta.resolution]
    rows = pa.table({"number": [0, 1, 2], "known_at": pa.array(stamps, lake.INSTANT)})
    assert sections.only_known_by({"a": rows, "b": rows.slice(2)}, NOON)["a"]["number"].to_pylist() == [0, 1]
    assert sections.only_known_by({"a": rows, "b": rows.slice(2)}, NOON)["b"].num_rows == 0


def test_feeds_reach_back_one_lookback_and_never_beyond_the_window(toy_settings: Settings, pipeline: Pipeline) -> None:
    first = WINDOW.start - timedelta(days=3)
    instants = [first - timedelta.resolution, first, WINDOW.end - timedelta.resolution, WINDOW.end]
    _put_clean(toy_settings, "heat", instants, machine=["early", "first", "last", "late"])
    seen = sections.load_feeds(pipeline, WINDOW, toy_settings, read_by=(Section("view", "v", "SELECT * FROM heat"),))
    assert sorted(seen["heat"]["machine"].to_pylist()) == ["first", "last"]


def test_a_static_feed_is_seen_however_old_it_is(toy_settings: Settings, pipeline: Pipeline) -> None:
    _put_clean(toy_settings, "machines", [toy.START], machine=["m0"])
    section = Section("view", "v", "SELECT * FROM machines")
    seen = sections.load_feeds(pipeline, toy.days(50, 51), toy_settings, read_by=(section,))
    assert seen["machines"].num_rows == 1


def test_only_feeds_the_sections_name_are_read(toy_settings: Settings, pipeline: Pipeline) -> None:
    section = Section("view", "v", "SELECT 1 AS failures_of_heat")
    assert sections.load_feeds(pipeline, WINDOW, toy_settings, read_by=(section,)) == {}


def test_an_outcome_that_never_landed_is_an_empty_table_of_its_columns(
    toy_settings: Settings, pipeline: Pipeline
) -> None:
    section = Section("labels", "labels", "SELECT job, failed::DOUBLE AS label, known_at FROM failures")
    seen = sections.load_feeds(pipeline, WINDOW, toy_settings, read_by=(section,))
    with sections.connect(pipeline, WINDOW, seen) as connection:
        found = sections.query(connection, pipeline, section)
    assert found.schema.names == ["job", "label", "known_at"]
    assert found.num_rows == 0


def test_a_feed_without_clean_rows_names_the_stage_to_run(toy_settings: Settings, pipeline: Pipeline) -> None:
    section = Section("view", "v", "SELECT * FROM heat")
    with pytest.raises(UpstreamUnavailable, match=r"run validate_raw of .* first"):
        sections.load_feeds(pipeline, WINDOW, toy_settings, read_by=(section,))
