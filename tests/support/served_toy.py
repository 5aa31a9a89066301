"""The toy with a champion in force, its features online, and a service in this process that is asked without a port."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import uvicorn
from tests.support import ledger_entries, toy
from tests.support.run_plainly import judged
from tests.support.waiting import bound, until

from airloop.deployment import Deployment
from airloop.features import materialize
from airloop.models import model_version
from airloop.records import Window
from airloop.serving.api.app import build
from airloop.serving.api.service import Service
from airloop.settings import Settings
from airloop.stores.mlflow import registry, tracking

CUTOFF = 25
NOON = toy.days(CUTOFF, CUTOFF + 1).start + timedelta(hours=12, minutes=5)
"""Until when the next day's features are online."""
EXPLICIT = {"machine_code": "m1", "job_size": 40.0, "celsius": 61.5}


def write(settings: Settings) -> None:
    """Version 1 of a cutoff at day 25, in force from then on; half of the next day online, no outcomes."""
    toy.land(settings, days=range(CUTOFF))
    toy.run_data(settings, toy.days(0, CUTOFF))
    toy.run_training(settings, CUTOFF)
    put_in_force(settings, 1, digest=registered_digest(settings, 1))
    toy.land(settings, days=range(CUTOFF, CUTOFF + 1), outcomes=False)
    toy.run_data(settings, toy.days(CUTOFF, CUTOFF + 1))
    put_online(settings, Window(toy.days(CUTOFF - 1, CUTOFF).start, NOON))


def put_online(settings: Settings, window: Window) -> None:
    """The features of a window that need not be one of the calendar's."""
    materialize.materialize(
        Deployment(toy.toy_pipeline(settings), settings), window, features=judged(window, "features")
    )


def put_in_force(
    settings: Settings, version: int, at: datetime | None = None, previous: int | None = None, digest: str = ""
) -> None:
    """Decide about a version and promote it, from the cutoff on or later."""
    start = at or toy.days(0, CUTOFF).end
    ledger_entries.put_in_force(settings, "toy", version, start, previous=previous, model_digest=digest)


def registered_digest(settings: Settings, version: int) -> str:
    """What the registry says a version's files hash to."""
    return str(registry.version_of(settings, "toy", version).tags[model_version.DIGEST])


def twin(settings: Settings, key: str = "twin") -> int:
    """Another version with the files of version 1, about which nothing was decided: tests share the registry."""
    first = tracking.client(settings).get_model_version("toy", "1")
    of_its_own = (tracking.INPUT_KEY, registry.DECISION_SEQUENCE, registry.DECISION_HASH)
    tags = {name: value for name, value in first.tags.items() if name not in of_its_own}
    pipeline = toy.toy_pipeline(settings)
    return tracking.register(pipeline, settings, model_uri=first.source, run_id=first.run_id, key=key, tags=tags)


class Asker(httpx.Client):
    """A client of a service in this process."""

    def __init__(self, service: Service, url: str) -> None:
        super().__init__(base_url=url, timeout=bound(30), trust_env=False)
        self.service, self.url = service, url


@contextmanager
def running(settings: Settings, *, open_to_all: bool = True, ready: bool = True) -> Iterator[Asker]:
    """The service of these settings on a free port of this machine, once it is ready; stopped as by SIGTERM."""
    service = Service(settings, open_to_all=open_to_all)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build(service), log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_for(lambda: server.started and (service.ready or not ready))
            with Asker(service, f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until the condition holds; an AssertionError where it never does."""
    if not until(condition, seconds=seconds, every=0.02):
        raise AssertionError("not within the time")


def ask(client: httpx.Client, body: Any, **options: Any) -> httpx.Response:
    """Ask for predictions of the toy."""
    return client.post("/v1/pipelines/toy/predict", json=body, **options)
