"""The pages as a web application to mount; who may come in, and what Airflow knows of a run, is told by its plugin."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from airloop.config import pipeline_names
from airloop.config.dag_ids import dag_of, pipeline_and_group
from airloop.errors import AirloopError, DataContractError, GuardRefused
from airloop.pages import (
    decisions,
    features,
    overview,
    posts,
    refusals,
    report_files,
    review_page,
    run_page,
    serving,
    version_page,
    window_page,
)
from airloop.pages.refusals import site_of
from airloop.pages.site import Site
from airloop.records import Window, parse_instant
from airloop.reports.rendering import page_headers, report_headers, with_theme
from airloop.settings import load_settings


@dataclass(frozen=True)
class Run:
    """What Airflow knows of a DAG run.

    Attributes:
        conf: Its Params as they were given.
        partition: Start of its partition; None when it has none.
    """

    results: run_page.Results
    conf: Mapping[str, Any]
    partition: datetime | None


@dataclass(frozen=True)
class Airflow:
    """What the pages ask of Airflow.

    Attributes:
        login: A FastAPI dependency: the user of a request; it raises HTTPException 401 for one without.
        may_see: Whether a user may look at a DAG (by its id).
        run: The run of a DAG id and a run id; None when there is none.
        may_act: Whether a user may start runs of a DAG; nobody unless given.
        name_of: What a user is called.
    """

    login: Callable[..., Any]
    may_see: Callable[[Any, str], bool]
    run: Callable[[str, str], Run | None]
    may_act: Callable[[Any, str], bool] = lambda _user, _dag_id: False
    name_of: Callable[[Any], str] = str


def create(airflow: Airflow) -> FastAPI:
    """The application: every route asks for the login first, and for the right to see the pipeline's DAGs then.

    There are no routes but those below: FastAPI's own, which its dependencies do not cover, are off. All of them read;
    the review's alone takes answers besides, of people who may start the pipeline's DAGs.
    """

    def enter(request: Request, user: Annotated[Any, Depends(airflow.login)]) -> None:
        request.state.airloop_user = user

    app = FastAPI(dependencies=[Depends(enter)], docs_url=None, redoc_url=None, openapi_url=None)
    app.state.airflow = airflow
    for path, answer in _ROUTES.items():
        methods = ["GET", "POST"] if path in _WRITING else ["GET"]
        app.add_api_route(path, answer, methods=methods, response_class=HTMLResponse)
    app.add_exception_handler(AirloopError, refusals.failed)
    # Starlette's own 404 and 405 are no FastAPI exceptions; a handler of theirs takes both.
    app.add_exception_handler(StarletteHTTPException, refusals.refused)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, refusals.misread)  # type: ignore[arg-type]
    return app


def _sees(request: Request, dag_id: str) -> bool:
    airflow: Airflow = request.app.state.airflow
    return airflow.may_see(request.state.airloop_user, dag_id)


def _visible(request: Request, site: Site) -> list[str]:
    """Pipelines whose data DAG the user may see."""
    return [name for name in pipeline_names(site.settings) if _sees(request, dag_of(name, "data"))]


def _admit(request: Request, pipeline: str) -> Site:
    """The site, for who may see the pipeline.

    Raises:
        HTTPException: 403, the same for a pipeline that is not there.
    """
    site = site_of(request)
    if pipeline not in _visible(request, site):
        raise HTTPException(
            403,
            f"There is no pipeline {pipeline} that you may see: it is not declared below include/pipelines, or your "
            f"role in Airflow may not read {dag_of(pipeline, 'data')}.",
        )
    return site


def _page(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers=page_headers())


def _index(request: Request, after: str = "") -> Response:
    site = site_of(request)
    return _page(overview.index(site, _visible(request, site), after=after))


def _all_features(request: Request) -> Response:
    site = site_of(request)
    return _page(features.index(site, _visible(request, site)))


def _overview(request: Request, pipeline: str, before: datetime | None = None) -> Response:
    return _page(overview.page(_admit(request, pipeline), pipeline, before=before))


def _ledger(request: Request, pipeline: str, before: int | None = None) -> Response:
    return _page(decisions.page(_admit(request, pipeline), pipeline, before=before))


def _version(request: Request, pipeline: str, version: int) -> Response:
    site = _admit(request, pipeline)
    try:
        return _page(version_page.page(site, pipeline, version))
    except GuardRefused as error:
        raise HTTPException(404, str(error)) from error


def _features(request: Request, pipeline: str) -> Response:
    return _page(features.page(_admit(request, pipeline), pipeline))


def _serving(request: Request, pipeline: str) -> Response:
    return _page(serving.page(_admit(request, pipeline), pipeline))


async def _review(request: Request, pipeline: str) -> Response:
    site = await run_in_threadpool(_admit, request, pipeline)
    airflow: Airflow = request.app.state.airflow
    user, token = request.state.airloop_user, posts.token_of(request)
    person, problem = airflow.name_of(user), ""
    may_answer = await run_in_threadpool(airflow.may_act, user, dag_of(pipeline, "data"))
    if request.method == "POST":
        if not may_answer:
            raise HTTPException(403, "Answering asks for the right to start the pipeline's DAGs.")
        sent = await posts.form(request)
        try:
            await run_in_threadpool(review_page.keep, site, pipeline, person, sent)
            return RedirectResponse(site.pipeline(pipeline, "review"), 303)
        except (DataContractError, GuardRefused) as error:
            problem = str(error)
    shown = partial(review_page.page, site, pipeline, person, token=token, may_answer=may_answer, problem=problem)
    html = await run_in_threadpool(shown)
    answer = HTMLResponse(html, 422 if problem else 200, headers=page_headers(forms=True))
    return posts.remember(request, answer, token)


def _window(request: Request, pipeline: str, start: str, end: str, report: str = "", run: str = "") -> Response:
    site = _admit(request, pipeline)
    try:
        window = Window(parse_instant(start), parse_instant(end))
    except DataContractError as error:
        raise HTTPException(404, f"No window: {error}.") from error
    try:
        return _page(window_page.page(site, pipeline, window, report=report, run=run))
    except GuardRefused as error:
        raise HTTPException(404, str(error)) from error


def _report(request: Request, path: str) -> Response:
    site = _admit(request, path.partition("/")[0])
    html = report_files.read(path, site.settings)
    if html is None:
        raise HTTPException(404, f"No report {path}: it was not written, or retention has removed it.")
    return HTMLResponse(with_theme(html), headers=report_headers())


def _dag(request: Request, dag_id: str, page: str = "overview") -> Response:
    name, _ = pipeline_and_group(dag_id)
    if name not in pipeline_names(load_settings()):
        return _foreign(request, dag_id)
    return _ledger(request, name) if page == "ledger" else _overview(request, name)


def _run(request: Request, dag_id: str, run_id: str) -> Response:
    name, _ = pipeline_and_group(dag_id)
    if name not in pipeline_names(load_settings()):
        return _foreign(request, dag_id)
    site = _admit(request, name)
    airflow: Airflow = request.app.state.airflow
    run = airflow.run(dag_id, run_id) if _sees(request, dag_id) else None
    if run is None:
        raise HTTPException(404, f"{dag_id} has no run {run_id} that you may see.")
    return _page(run_page.page(site, dag_id, run_id, results=run.results, conf=run.conf, partition=run.partition))


def _foreign(request: Request, dag_id: str) -> Response:
    why = f"{dag_id} is not one of airloop's: those are named PIPELINE__GROUP, like shop__data."
    return refusals.problem(request, 404, "No pipeline", why)


_WRITING = ("/pipelines/{pipeline}/review",)
_ROUTES: dict[str, Callable[..., Response | Awaitable[Response]]] = {
    "/": _index,
    "/features": _all_features,
    "/pipelines/{pipeline}": _overview,
    "/pipelines/{pipeline}/ledger": _ledger,
    "/pipelines/{pipeline}/features": _features,
    "/pipelines/{pipeline}/serving": _serving,
    "/pipelines/{pipeline}/review": _review,
    "/pipelines/{pipeline}/versions/{version}": _version,
    "/pipelines/{pipeline}/windows/{start}/{end}": _window,
    "/reports/{path:path}": _report,
    "/dags/{dag_id}": _dag,
    "/dags/{dag_id}/runs/{run_id:path}": _run,
}
