"""airloop's pages in Airflow's UI: a menu, tabs beside the DAGs and runs they belong to, and the routes behind them.

Airflow executes this file in every process, tasks included, so nothing is imported before the first page is asked for.
"""

from asyncio import to_thread as run_in_thread
from collections import defaultdict
from collections.abc import Iterable, MutableMapping
from functools import cache
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from airloop.pages.icons import menu_icons
from airloop.pages.mlflow_links import server
from airloop.settings import load_settings
from airloop_airflow.asked_windows import AskedWindows


@cache
def app() -> Any:
    """The FastAPI application, whose every route asks Airflow who is there."""
    from airflow.api_fastapi.core_api.security import get_user

    from airloop.pages.app import Airflow, create

    return create(
        Airflow(login=get_user, may_see=_may_see, run=_run, may_act=_may_start, name_of=lambda user: user.get_name())
    )


def _may_see(user: Any, dag_id: str) -> bool:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
    from airflow.models.dag import DagModel

    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(method="GET", details=details, user=user)


def _may_start(user: Any, dag_id: str) -> bool:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
    from airflow.models.dag import DagModel

    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user
    )


async def _entitled(scope: MutableMapping[str, Any], dag_id: str) -> bool:
    """Whether the login of a request, by its header or else its cookie, may see a DAG."""
    from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
    from airflow.api_fastapi.core_api.security import resolve_user_from_token
    from fastapi import HTTPException, Request

    request = Request(scope)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    jwt = token if scheme.lower() == "bearer" else request.cookies.get(COOKIE_NAME_JWT_TOKEN)
    try:
        user = await resolve_user_from_token(jwt)
    except HTTPException:
        return False
    return await run_in_thread(_may_see, user, dag_id)


def _run(dag_id: str, run_id: str) -> Any:
    from airflow.models.dagrun import DagRun
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from airloop.pages.app import Run

    with create_session() as session:
        run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        if run is None:
            return None
        results: dict[str, list[Any]] = defaultdict(list)
        rows: Iterable[Any] = session.scalars(XComModel.get_many(run_id=run_id, dag_ids=dag_id, key="return_value"))
        for row in rows:
            results[row.task_id].append(XComModel.deserialize_value(row))
        return Run(results, run.conf or {}, run.partition_date)


async def _pages(scope: Any, receive: Any, send: Any) -> None:
    await app()(scope, receive, send)


def _menu(name: str, href: str, icon: str, **more: str) -> dict[str, Any]:
    return {"name": name, "href": href, "destination": "nav", "nav_top_level": True, **menu_icons(icon), **more}


def _tab(name: str, href: str, destination: str) -> dict[str, str]:
    route = f"airloop-{destination.replace('_', '-')}-{name.lower()}"
    return {"name": name, "href": href, "destination": destination, "url_route": route}


def _mlflow() -> list[dict[str, Any]]:
    url = server(load_settings())
    return [_menu("MLflow", url, "flask")] if url else []


class AirloopPagesPlugin(AirflowPlugin):
    """Addresses are relative: Airflow's UI resolves them against its own base URL, wherever that is mounted."""

    name = "airloop_pages"
    fastapi_apps = [{"app": _pages, "url_prefix": "/airloop", "name": "airloop"}]
    fastapi_root_middlewares = [
        {"middleware": AskedWindows, "args": [], "kwargs": {"entitled": _entitled}, "name": "airloop windows"}
    ]
    external_views = [
        _menu("Pipelines", "airloop/", "loop", url_route="airloop"),
        _menu("Features", "airloop/features", "layers", url_route="airloop-features"),
        *_mlflow(),
        _tab("Loop", "airloop/dags/{DAG_ID}", "dag"),
        _tab("Ledger", "airloop/dags/{DAG_ID}?page=ledger", "dag"),
        _tab("Reports", "airloop/dags/{DAG_ID}/runs/{RUN_ID}", "dag_run"),
    ]
