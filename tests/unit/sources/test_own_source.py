"""A source of the project's own lands like a database: by day, judged, late rows and all."""

import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support import toy, toy_own, toy_sql

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import load_pipeline
from airloop.errors import AirloopError, ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import Extracted, parse_instant
from airloop.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]
REST = "toys_own_sources:RestPage"
JOBS: list[dict[str, Any]] = [
    {
        "job": f"j{day}-{number}",
        "machine": "m1",
        "planned_at": f"2020-01-{day:02}T{number:02}:00:00+00:00",
        "starts_at": f"2020-01-{day:02}T{number:02}:30:00+00:00",
        "size": number,
        "updated_at": f"2020-01-{day:02}T{number:02}:00:00+00:00",
    }
    for day in (1, 2, 3)
    for number in range(20)
]


class Page(BaseHTTPRequestHandler):
    """Answers with the jobs that were updated in a span."""

    def do_GET(self) -> None:
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        since, until = parse_instant(asked["since"]), parse_instant(asked["until"])
        found = [job for job in JOBS if since <= parse_instant(job["updated_at"]) < until]
        first, rows = int(asked["first"]), int(asked["rows"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found[first : first + rows]).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def page() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/jobs"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_own.project(tmp_path / "project", REPOSITORY)


def extract(settings: Settings, day: int) -> Extracted:
    record = toy.run("extract", settings, toy.days(day, day + 1))
    assert isinstance(record, Extracted)
    return record


def test_a_rest_page_lands_by_day_through_a_module_of_the_project(settings: Settings, page: str) -> None:
    toy_own.fetch_jobs_by(settings, REST, f'{{url: "{page}", page_rows: 7}}')
    assert check_pipeline("toy", settings)
    assert extract(settings, 0).rows == {"jobs": 20}
    assert extract(settings, 1).rows == {"jobs": 20}
    landed = toy_sql.landed(settings)
    assert sorted(name[:10] for name in landed) == ["2020-01-01", "2020-01-02"]
    assert all(text.count("\n") == 21 for text in landed.values())
    assert extract(settings, 1).files == extract(settings, 1).files


def test_what_changed_arrives_as_a_correction_of_its_own_day(
    settings: Settings, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_own.fetch_jobs_by(settings, REST, f'{{url: "{page}"}}')
    extract(settings, 0)
    monkeypatch.setitem(JOBS[3], "size", 99)
    monkeypatch.setitem(JOBS[3], "updated_at", "2020-01-02T05:00:00+00:00")
    extract(settings, 1)
    corrections = [name for name in toy_sql.landed(settings) if name.startswith("2020-01-01.to20200103")]
    assert len(corrections) == 1
    assert '"j1-3"' in toy_sql.landed(settings)[corrections[0]]


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        (REST, "{}", "feeds.jobs.source.options.url: required key is missing"),
        (REST, "{url: x, page_row: 3}", "page_row: unknown key; did you mean 'page_rows'? (valid: url, page_rows)"),
        (REST, "{url: x, page_rows: many}", "feeds.jobs.source.options.page_rows: Input should be a valid integer"),
        ("toys_own_sources:TooFew", "{a: 1}", "feeds.jobs.source.options.a: unknown key (valid: none)"),
        ("toys_own_sources:Nosuch", "", "feeds.jobs.source.kind: source toys_own_sources:Nosuch: cannot be imported"),
        ("json:JSONDecoder", "", "is not a subclass of airloop.sources.kinds.source:Source"),
    ],
)
def test_one_that_does_not_fit_is_refused_with_its_line(settings: Settings, kind: str, options: str, says: str) -> None:
    toy_own.fetch_jobs_by(settings, kind, options)
    with pytest.raises(ConfigError) as refused:
        check_pipeline("toy", settings)
    (line,) = [line for line in str(refused.value).splitlines() if says in line]
    assert line.startswith("toy/pipeline.yaml:10: ")
    with pytest.raises(ConfigError):
        extract(settings, 0)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{kind: sqll, watermark: updated_at}", "did you mean 'sql'"),
        ("{watermark: updated_at}", "connection: required key is missing"),
        ("{kind: sql, connection: shop, watermark: updated_at}", "query: required key is missing"),
        ('{kind: "m:C", query: SELECT 1, watermark: updated_at}', "query belongs to kind sql"),
        ("{connection: shop, query: SELECT 1, options: {a: 1}, watermark: updated_at}", "options are for a source of"),
        ('{kind: "m:C"}', "`watermark` is None"),
    ],
)
def test_keys_of_another_kind_are_refused_when_yaml_is_read(settings: Settings, source: str, says: str) -> None:
    toy_sql.declare(settings, toy_own.JOBS_FROM_FILES, f"{{source: {source}, key: [job], event_time: planned_at")
    toy_sql.declare(settings, toy_own.NO_WATERMARK, toy_own.WATERMARK)
    with pytest.raises(ConfigError) as refused:
        load_pipeline("toy", settings)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("toys_own_sources:TooFew", DataContractError, "a row has to hold 6 values, those of job, machine"),
        ("toys_own_sources:OutOfOrder", DataContractError, "has to give rows of that span only, ordered by planned_at"),
    ],
)
def test_rows_that_cannot_be_are_refused_and_nothing_lands(
    settings: Settings, kind: str, error: type[AirloopError], says: str
) -> None:
    toy_own.fetch_jobs_by(settings, kind)
    with pytest.raises(error) as refused:
        extract(settings, 1)
    assert says in str(refused.value)
    assert toy_sql.landed(settings) == {}


def test_one_that_does_not_answer_is_tried_again(settings: Settings, page: str) -> None:
    toy_own.fetch_jobs_by(settings, REST, '{url: "http://127.0.0.1:9/jobs"}')
    with pytest.raises(UpstreamUnavailable, match=f"feed jobs, source {REST}: URLError"):
        extract(settings, 0)


def test_other_code_of_the_source_is_another_input(settings: Settings, page: str) -> None:
    toy_own.fetch_jobs_by(settings, REST, f'{{url: "{page}"}}')
    from airloop.run.input_key import declaration_digest

    pipeline = load_pipeline("toy", settings)
    before = declaration_digest(pipeline, settings)
    (settings.project_dir / "include" / "toys_own_metrics.py").write_text("# named by nobody\n")
    assert declaration_digest(pipeline, settings) == before
    path = settings.project_dir / "include" / "toys_own_sources.py"
    path.write_text(path.read_text() + "# changed\n")
    assert declaration_digest(pipeline, settings) != before
