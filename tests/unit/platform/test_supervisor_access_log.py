"""The access log of an API server on SQLite: many writers at one moment, in a small server built like Airflow's."""

import asyncio
import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel
from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from airloop.settings import load_settings
from airloop_platform.supervisor.environment import python_path

CONFIG = Path(__file__).parents[3] / "include" / "airloop_platform" / "airflow_config"
POSTS = 60
# Less than Airflow's 30 s, much longer than any commit takes.
BUSY_SECONDS = 5
FIRST_WRITES, SECOND_LOGS = threading.Event(), threading.Event()


class Base(DeclarativeBase):
    pass


class Entry(Base):
    __tablename__ = "log"
    number: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str]


class Run(Base):
    __tablename__ = "run"
    number: Mapped[int] = mapped_column(primary_key=True)


class Answer(BaseModel):
    """FastAPI takes a thread to check it while the endpoint's session still holds the write lock."""

    number: int


@pytest.fixture
def access_log(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(CONFIG))
    return importlib.import_module("airloop_access_log")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/airflow.db?timeout={BUSY_SECONDS}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA journal_mode=WAL"))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def decorators(engine: Engine) -> ModuleType:
    """The part of Airflow's module that matters: a session of the request, a log action that commits on the loop."""

    def sessions() -> Iterator[Session]:
        with Session(engine) as session:
            yield session
            session.commit()

    session_dependency = Annotated[Session, Depends(sessions, scope="function")]

    def action_logging(event: str | None = None) -> Any:
        async def log_action(request: Request, session: session_dependency, user: str = "") -> None:
            if event == "rehearsal":
                return
            session.add(Entry(event=event or request.scope["endpoint"].__name__))
            if event == "second":
                SECOND_LOGS.set()
            session.commit()

        return log_action

    module = ModuleType("decorators")
    module.action_logging, module.SessionDep = action_logging, session_dependency
    return module


def server(module: ModuleType) -> FastAPI:
    app, session_dependency = FastAPI(), module.SessionDep

    @app.post("/runs/{number}", dependencies=[Depends(module.action_logging())])
    def trigger(number: int, session: session_dependency) -> Answer:
        session.add(Run(number=number))
        session.flush()
        return Answer(number=number)

    @app.post("/first", dependencies=[Depends(module.action_logging())])
    def first(session: session_dependency) -> Answer:
        """Answers once it holds the write lock and the second request is about to commit its log entry."""
        session.add(Run(number=1))
        session.flush()
        FIRST_WRITES.set()
        assert SECOND_LOGS.wait(60)
        return Answer(number=1)

    @app.post("/second", dependencies=[Depends(module.action_logging("second"))])
    def second() -> Answer:
        return Answer(number=2)

    @app.post("/broken", dependencies=[Depends(module.action_logging())])
    def broken() -> Answer:
        raise RuntimeError("no answer")

    @app.post("/rehearse", dependencies=[Depends(module.action_logging("rehearsal"))])
    def rehearse() -> Answer:
        return Answer(number=0)

    return app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://server", timeout=None)


def post_at_once(app: FastAPI, paths: list[str]) -> list[int]:
    async def post() -> list[int]:
        async with client_of(app) as client:
            return [answer.status_code for answer in await asyncio.gather(*(client.post(path) for path in paths))]

    return asyncio.run(post())


def rows(engine: Engine, table: type[Base]) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(("mended", "codes"), [(False, [200, 500]), (True, [200, 200])])
def test_only_mended_a_log_entry_does_not_wait_for_a_writer_who_waits_for_the_loop(
    access_log: ModuleType, engine: Engine, mended: bool, codes: list[int]
) -> None:
    """Unmended as Airflow is; when that commits elsewhere, the module can go."""
    FIRST_WRITES.clear()
    SECOND_LOGS.clear()
    module = decorators(engine)
    if mended:
        access_log.mend(module)

    async def post() -> list[int]:
        async with client_of(server(module)) as client:
            first = asyncio.create_task(client.post("/first"))
            await asyncio.to_thread(FIRST_WRITES.wait, 60)
            second = await client.post("/second")
            return [(await first).status_code, second.status_code]

    assert asyncio.run(post()) == codes


def test_mended_it_answers_sixty_posts_at_once_and_logs_each(access_log: ModuleType, engine: Engine) -> None:
    module = decorators(engine)
    access_log.mend(module)
    codes = post_at_once(server(module), [f"/runs/{number}" for number in range(POSTS)])
    assert codes == [200] * POSTS
    assert (rows(engine, Run), rows(engine, Entry)) == (POSTS, POSTS)


def test_an_endpoint_that_fails_keeps_its_log_entry_and_gives_its_turn_back(
    access_log: ModuleType, engine: Engine
) -> None:
    module = decorators(engine)
    access_log.mend(module)
    failing = ["/broken"] * (2 * access_log.AT_WORK)
    assert post_at_once(server(module), [*failing, "/runs/1"]) == [500] * len(failing) + [200]
    assert rows(engine, Entry) == len(failing) + 1


def test_what_airflow_does_not_log_is_not_committed(access_log: ModuleType, engine: Engine) -> None:
    module = decorators(engine)
    access_log.mend(module)
    assert post_at_once(server(module), ["/rehearse"]) == [200]
    assert rows(engine, Entry) == 0


def test_the_log_action_of_the_installed_airflow_is_mended_when_the_api_server_imports_it(tmp_path: Path) -> None:
    code = """
import sys; sys.argv = ["airflow", "api-server"]
import airflow
assert "airflow.api_fastapi.logging.decorators" not in sys.modules
from airflow.api_fastapi.core_api.routes.public import dag_run
print(dag_run.action_logging().__code__.co_name)
"""
    environment = {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": python_path(load_settings(home=tmp_path))}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.split()[-1] == "log_in_turn"
    assert "airloop:" not in result.stderr
