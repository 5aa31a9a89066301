"""A run over no window is refused when it is asked for; every other request passes as it came, and so do strangers."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from airloop import settings
from airloop_airflow.asked_windows import AskedWindows, refusal


@pytest.fixture(autouse=True)
def toy_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daily toy whose monitoring looks every Monday; its coverage is January and February 2020."""
    from tests.support import toy

    here = toy.write_project(tmp_path / "project", settings.load_settings().project_dir)
    path = here.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("{sample_rows: 500,", "{every: weekly, sample_rows: 500,"))
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(here.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(here.home))


def asked(group: str, conf: Any) -> str:
    return refusal("toy", group, json.dumps({"logical_date": None, "conf": conf}).encode())


@pytest.mark.parametrize(
    ("group", "conf", "says"),
    [
        ("data", {"start": "2020-01-03", "end": "2020-01-02"}, "empty or reversed"),
        ("data", {"start": "2020-01-03", "end": "2020-01-03"}, "empty or reversed"),
        ("data", {"start": "2020-01-03T06:00:00Z", "end": "2020-01-04"}, "the nearest is 2020-01-03T00:00:00Z"),
        ("data", {"start": "2020-01-03"}, "give both or none"),
        ("scoring", {"start": "2019-01-03", "end": "2019-01-04"}, "outside the coverage"),
        ("scoring", {"start": "2020-02-29", "end": "2020-03-02"}, "outside the coverage"),
        ("data", {"start": "yesterday", "end": "2020-01-02"}, "'yesterday' is not an ISO 8601 instant"),
        ("data", {"start": "2020-01-01T00:00:00", "end": "2020-01-02"}, "has no UTC offset"),
        ("monitoring", {"start": "2020-01-07", "end": "2020-01-14"}, "not a bound of a weekly window"),
        ("training", {"cutoff": "2020-03-02"}, "outside the coverage"),
        ("training", {"cutoff": "2019-12-31"}, "outside the coverage"),
        ("training", {"cutoff": "soon"}, "'soon' is not an ISO 8601 instant"),
    ],
)
def test_what_is_no_window_is_refused_with_its_reason(group: str, conf: dict[str, str], says: str) -> None:
    assert says in asked(group, conf)


@pytest.mark.parametrize(
    ("group", "conf"),
    [
        ("data", {"start": "2020-01-03", "end": "2020-01-05"}),
        ("data", {"start": "2020-01-03T01:00:00+01:00", "end": "2020-01-04T00:00:00Z"}),
        ("data", {"start": None, "end": None}),
        ("data", {}),
        ("data", None),
        ("monitoring", {"start": "2020-01-06", "end": "2020-01-13"}),
        ("training", {"cutoff": "2020-02-01"}),
        ("training", {"cutoff": "2020-02-01T12:30:00Z"}),
    ],
)
def test_a_window_of_the_calendar_and_a_day_for_its_midnight_pass(group: str, conf: Any) -> None:
    assert asked(group, conf) == ""


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"conf": 5}', b'{"conf": "x"}'])
def test_a_request_that_cannot_be_read_is_left_to_airflow(body: bytes) -> None:
    assert refusal("toy", "data", body) == ""
    assert refusal("nobody", "data", b'{"conf": {"start": "x", "end": "y"}}') == ""


REVERSED = b'{"conf": {"start": "2020-01-03", "end": "2020-01-02"}}'


def answered(path: str, body: bytes, *, method: str = "POST", entitled: bool = True) -> tuple[int, bytes]:
    """Status and body: of the middleware, or 200 and what the application behind it has read."""
    sent: list[dict[str, Any]] = []
    parts = [body[: len(body) // 2], body[len(body) // 2 :]]

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        read = b""
        while (message := await receive()).get("more_body"):
            read += message["body"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": read + message["body"]})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    async def may_see(_scope: Any, dag_id: str) -> bool:
        return entitled and dag_id == "toy__data"

    scope = {"type": "http", "method": method, "path": path}
    asyncio.run(AskedWindows(application, may_see)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_the_answer_comes_at_once_and_names_the_dag() -> None:
    status, body = answered("/api/v2/dags/toy__data/dagRuns", REVERSED)
    assert status == 422
    assert json.loads(body)["detail"].startswith("toy__data: ")


def test_all_else_passes_unread_and_whole() -> None:
    good = b'{"conf": {"start": "2020-01-02", "end": "2020-01-03"}}'
    assert answered("/api/v2/dags/toy__data/dagRuns", good) == (200, good)
    assert answered("/api/v2/dags/toy__data/dagRuns", REVERSED, method="GET") == (200, REVERSED)
    assert answered("/api/v2/dags/toy__inbox/dagRuns", REVERSED) == (200, REVERSED)
    assert answered("/api/v2/dags/other/dagRuns", REVERSED) == (200, REVERSED)


def test_who_may_not_see_the_dag_learns_nothing_of_it() -> None:
    assert answered("/api/v2/dags/toy__data/dagRuns", REVERSED, entitled=False) == (200, REVERSED)
