"""How a feed says where its rows come from, and what is refused before any database is asked."""

from typing import Any

import pytest
import yaml
from tests.support import toy

from airloop.config import Pipeline, load_pipeline
from airloop.errors import ConfigError
from airloop.settings import Settings

SOURCE = {"connection": "shop", "query": "SELECT * FROM jobs", "watermark": "updated_at"}


def load(settings: Settings, feed: str, changes: dict[str, Any], **more: Any) -> Pipeline:
    data = yaml.safe_load(toy.PIPELINE) | more
    declared = data["feeds"][feed]
    declared["columns"]["updated_at"] = "timestamp"
    declared.update(changes)
    data["feeds"][feed] = {key: value for key, value in declared.items() if value is not None}
    (settings.pipelines_dir / "toy" / "pipeline.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return load_pipeline("toy", settings)


@pytest.mark.parametrize(("feed", "files"), [("jobs", "{day}.csv"), ("machines", "machines.csv")])
def test_the_file_name_may_be_left_out(toy_settings: Settings, feed: str, files: str) -> None:
    source = SOURCE if feed == "jobs" else {"connection": "shop", "query": "SELECT * FROM machines"}
    assert load(toy_settings, feed, {"files": None, "source": source}).feeds[feed].files == files


def test_a_file_name_that_is_given_stays(toy_settings: Settings) -> None:
    pipeline = load(toy_settings, "jobs", {"files": "jobs_{day}.csv", "source": SOURCE})
    assert pipeline.feeds["jobs"].files == "jobs_{day}.csv"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("SELECT * FROM jobs;\n", "SELECT * FROM jobs"),
        ("-- which\n/* rows */ (select 1)", "-- which\n/* rows */ (select 1)"),
        ("WITH t AS (SELECT 1) SELECT * FROM t", "WITH t AS (SELECT 1) SELECT * FROM t"),
    ],
)
def test_a_query_is_one_select(toy_settings: Settings, given: str, kept: str) -> None:
    source = load(toy_settings, "jobs", {"source": SOURCE | {"query": given}}).feeds["jobs"].source
    assert source is not None
    assert source.query == kept


@pytest.mark.parametrize(
    ("feed", "changes", "says"),
    [
        ("jobs", {"files": None}, "a feed needs `files`, or a `source`"),
        ("jobs", {"source": SOURCE | {"watermark": None}}, "`watermark` is None; it has to be one of columns"),
        ("jobs", {"source": SOURCE | {"watermark": "changed"}}, "`watermark` is 'changed'"),
        ("jobs", {"source": SOURCE | {"watermark": "size"}}, "of type timestamp"),
        ("jobs", {"source": SOURCE, "day_timezone": "Europe/Berlin"}, "land by UTC days"),
        ("jobs", {"source": SOURCE | {"overlap_minutes": -1}}, "greater than or equal to 0"),
        ("jobs", {"source": SOURCE | {"query": "DELETE FROM jobs"}}, "write one SELECT"),
        ("jobs", {"source": SOURCE | {"query": "jobs"}}, "write one SELECT"),
        ("jobs", {"source": SOURCE | {"query": "selection"}}, "write one SELECT"),
        ("jobs", {"source": SOURCE | {"connection": "postgresql://u:p@h/d"}}, "should match pattern"),
        ("jobs", {"source": SOURCE | {"watermrk": "x"}}, "watermrk: unknown key; did you mean 'watermark'?"),
        ("machines", {"source": SOURCE}, "a static table is fetched whole"),
        ("machines", {"source": SOURCE | {"watermark": None, "overlap_minutes": 1}}, "a static table is fetched whole"),
    ],
)
def test_a_source_that_does_not_fit_is_refused(
    toy_settings: Settings, feed: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(toy_settings, feed, changes)
    assert says in str(refused.value)
    assert f"feeds.{feed}" in str(refused.value)


def test_hourly_windows_are_too_short_for_files_by_day(toy_settings: Settings) -> None:
    with pytest.raises(ConfigError, match="write daily"):
        load(toy_settings, "jobs", {"source": SOURCE}, calendar="hourly")
    assert load(toy_settings, "jobs", {"source": SOURCE}, calendar="weekly").calendar == "weekly"
