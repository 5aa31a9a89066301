"""Who may open which page, and what the browser is told about it: every route asks for the login before anything."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Header, HTTPException
from fastapi.routing import APIRoute
from tests.support import pages_stand, toy

from airloop.pages.app import Airflow, Run, create
from airloop.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]
WINDOW = toy.days(2, 3)
RUN_ID = "inbox__2020-01-03T00:00:00+00:00/1"
ADDRESSES = pages_stand.routes(WINDOW, RUN_ID)
ANN, BOB = {"x-user": "ann"}, {"x-user": "bob"}  # ann may see the toy, bob nothing


def login(x_user: Annotated[str, Header()] = "") -> str:
    if not x_user:
        raise HTTPException(401, "who is there?")
    return x_user


def run(_dag_id: str, run_id: str) -> Run | None:
    return Run({"ingest": [{"window": WINDOW.to_json()}]}, {}, None) if run_id == RUN_ID else None


Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = toy.write_project(tmp_path_factory.mktemp("pages") / "project", REPOSITORY)
    pages_stand.remember(settings)
    pages_stand.write_report(settings, "validation", "raw", window=WINDOW)
    return settings


@pytest.fixture
def ask(remembered: Settings, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks the application for an address, as GET unless told otherwise."""
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(remembered.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(remembered.home))
    app = create(Airflow(login, lambda user, _dag_id: user == "ann", run))

    async def answer(method: str, address: str, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages") as client:
            return await client.request(method, address, headers=headers)

    return lambda address, user=None, method="GET": asyncio.run(answer(method, address, user or {}))


def test_every_route_is_tried_here() -> None:
    app = create(Airflow(login, lambda _user, _dag_id: True, run))
    assert {route.path for route in app.routes if isinstance(route, APIRoute)} == set(ADDRESSES)
    assert len(app.routes) == len(ADDRESSES)


@pytest.mark.parametrize("address", ADDRESSES.values())
def test_every_page_opens_for_who_may_see_it_and_for_nobody_without_a_login(ask: Ask, address: str) -> None:
    refused = ask(address)
    assert (refused.status_code, refused.json()) == (401, {"detail": "who is there?"})
    assert ask(address, ANN).status_code == 200


@pytest.mark.parametrize("address", [address for address in ADDRESSES.values() if "toy" in address])
def test_a_pipelines_pages_are_refused_to_who_may_not_see_its_dags(ask: Ask, address: str) -> None:
    assert ask(address, BOB).status_code == 403


@pytest.mark.parametrize("address", ["/", "/features"])
def test_a_list_leaves_out_what_its_reader_may_not_see(ask: Ask, address: str) -> None:
    assert "/pipelines/toy" in ask(address, ANN).text
    assert "/pipelines/toy" not in ask(address, BOB).text


@pytest.mark.parametrize(
    ("address", "status", "line"),
    [
        ("/pipelines/shop", 403, "There is no pipeline shop that you may see"),
        ("/pipelines/shop/versions/1", 403, "There is no pipeline shop that you may see"),
        ("/pipelines/toy/versions/99", 404, "toy has no version 99 that was trained here"),
        ("/pipelines/toy/versions/99999999999999999999999", 404, "toy has no version 99999999999999999999999"),
        ("/pipelines/toy/versions/latest", 404, "version &#39;latest&#39; is not a whole number"),
        ("/pipelines/toy?before=yesterday", 404, "before &#39;yesterday&#39; is not an instant"),
        ("/pipelines/toy/ledger?before=last", 404, "before &#39;last&#39; is not a whole number"),
        ("/pipelines/toy/windows/20200104T000000Z/20200103T000000Z", 404, "No window: "),
        ("/pipelines/toy/windows/20200104T000000Z/20200104T060000Z", 404, "the daily window there is 2020-01-04T00:00"),
        (
            "/pipelines/toy/windows/20190104T000000Z/20190105T000000Z",
            404,
            "its coverage is 2020-01-01T00:00:00+00:00 to",
        ),
        ("/pipelines/toy/windows/yesterday/today", 404, "No window: "),
        ("/reports/toy/monitoring/20200104T000000Z_20200105T000000Z.html", 404, "No report toy/monitoring/"),
        ("/reports/toy/%2e%2e/%2e%2e/state.db", 404, "No report toy/../../state.db"),
        ("/reports/%3Cscript%3E", 403, "There is no pipeline &lt;script&gt; that you may see"),
        ("/dags/somebodys_own", 404, "somebodys_own is not one of airloop"),
        ("/dags/toy__data/runs/none", 404, "toy__data has no run none"),
        ("/docs", 404, "No page of airloop has this address"),
        ("/openapi.json", 404, "No page of airloop has this address"),
    ],
)
def test_what_is_not_there_is_said_in_one_line_of_a_page(ask: Ask, address: str, status: int, line: str) -> None:
    answer = ask(address, ANN)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert line in answer.text
    assert answer.text.count("<p>") == 1
    assert "<script>" not in answer.text.partition("<main>")[2]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_window_of_the_calendar_of_which_nothing_is_recorded_yet_has_its_page(ask: Ask) -> None:
    answer = ask("/pipelines/toy/windows/20200120T000000Z/20200121T000000Z", ANN)
    assert (answer.status_code, "Nothing is recorded of this window" in answer.text) == (200, True)


def test_a_reader_whose_login_is_over_gets_a_page_that_says_so_and_nothing_of_a_pipeline(ask: Ask) -> None:
    answer = ask("/pipelines/toy", {"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 401
    assert "log in to Airflow, then open this page again" in answer.text
    assert "toy" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(ask: Ask, method: str) -> None:
    assert ask("/pipelines/toy", ANN, method).status_code == 405


def test_the_browser_may_load_nothing_and_a_report_runs_without_the_session(ask: Ask) -> None:
    page = ask("/pipelines/toy", ANN).headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'self'"} <= set(page)
    assert not any("'unsafe-inline'" in rule for rule in page if rule.startswith("script-src"))
    report = ask(ADDRESSES["/reports/{path:path}"], ANN).headers["content-security-policy"].split("; ")
    assert {"sandbox allow-scripts", "default-src 'none'"} <= set(report)
    assert not any("http" in rule for rule in [*page, *report])
