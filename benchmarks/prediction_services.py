"""One trained version of flight_delays behind airloop's prediction service and behind `mlflow models serve`."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import AirloopError, DataContractError
from airloop.features import examples
from airloop.features.feature_store import feature_names
from airloop.records import Window
from airloop.run import stage_groups, stage_run
from airloop.settings import Settings
from airloop.stores import ledger
from airloop_platform.supervisor.environment import settings_environment
from airloop_platform.supervisor.ports import choose_port
from benchmarks import promotions
from benchmarks.flights import Flights, build_flights, run_data
from benchmarks.http_load import Load, load
from benchmarks.session import Session

CONNECTIONS, SECONDS = 8, 8.0
SWAPS_VARIABLE = "AIRLOOP_BENCH_SWAPS"
_SWAPS_A_SECOND = 1.5
"""The service looks at the ledger twice a second."""
SWAPS = int(os.environ.get(SWAPS_VARIABLE) or 30)
SWAP_SECONDS = SWAPS / _SWAPS_A_SECOND
_STARTS_WITHIN = 180
_OURS = "/v1/pipelines/flight_delays/predict"
_KEYS = ("flight_id", "origin", "carrier", "dest", "route", "tailnum")


@dataclass(frozen=True)
class Running:
    """A service that answers.

    Attributes:
        start_seconds: From its process's start to its first answer that it is ready.
    """

    url: str
    process: psutil.Process
    start_seconds: float

    def resident_bytes(self) -> float:
        """Of the process and those it started."""
        return float(sum(part.memory_info().rss for part in (self.process, *self.process.children(recursive=True))))


@dataclass(frozen=True)
class Cost:
    """What a service takes of the machine, besides time.

    Attributes:
        resident_bytes: After its requests were answered.
    """

    start_seconds: float
    resident_bytes: float


@dataclass(frozen=True)
class Served:
    """What both services were seen to do with the same rows."""

    explicit: Load
    swapped: Load
    swaps: int
    looked_up: Load
    peer: Load
    hundred: Load
    peer_hundred: Load
    cost: Cost
    peer_cost: Cost


@functools.cache
def trained(session: Session) -> Flights:
    """Two months of flights, and a version of them in force."""
    flights = build_flights(session.folder("serving"), 2, session.say)
    _train(flights.pipeline, flights.span, flights.settings, session)
    return flights


def champion(flights: Flights) -> int:
    """The version in force: what the gate passed, or its refit."""
    return int(promotions.in_force(ledger.history(flights.settings, flights.pipeline.name)).payload["version"])


@functools.cache
def measured(session: Session) -> Served:
    """Each service alone on the machine, one after the other, with the same rows; both have to answer the same."""
    flights = trained(session)
    pipeline, settings = flights.pipeline, flights.settings
    version = champion(flights)
    rows, keys = _rows(pipeline, flights.windows[-1], settings)
    explicit = [_json({"features": row}) for row in rows]
    frames = [_json({"dataframe_records": [row]}) for row in rows]
    hundred = _json({"rows": [{"features": row} for row in rows[:100]]})
    frame = _json({"dataframe_records": rows[:100]})
    with _ours(settings) as service:
        url = service.url
        session.say(f"  airloop serve at {url}, after {service.start_seconds:.1f} s")
        answers = [_ask(f"{url}{_OURS}", body)["predictions"][0]["prediction"] for body in explicit[:50]]
        ours = load(url, _OURS, explicit, connections=CONNECTIONS, seconds=SECONDS)
        with _promotions(settings) as swap_counts:
            swapped = load(url, _OURS, explicit, connections=CONNECTIONS, seconds=SWAP_SECONDS)
        looked_up = load(url, _OURS, [_json(key) for key in keys], connections=CONNECTIONS, seconds=SECONDS)
        ours_hundred = load(url, _OURS, [hundred], connections=1, seconds=SECONDS)
        cost = Cost(service.start_seconds, service.resident_bytes())
    with _peer(settings, version) as service:
        url = service.url
        session.say(f"  mlflow models serve at {url}, after {service.start_seconds:.1f} s")
        expected = [_ask(f"{url}/invocations", body)["predictions"][0][1] for body in frames[:50]]
        peer = load(url, "/invocations", frames, connections=CONNECTIONS, seconds=SECONDS)
        peer_hundred = load(url, "/invocations", [frame], connections=1, seconds=SECONDS)
        peer_cost = Cost(service.start_seconds, service.resident_bytes())
    if not np.allclose(answers, expected, rtol=0, atol=1e-12):
        raise DataContractError("airloop and mlflow models serve answer the same rows differently")
    served = Served(ours, swapped, swap_counts[0], looked_up, peer, ours_hundred, peer_hundred, cost, peer_cost)
    for name, item in vars(served).items():
        if isinstance(item, Load) and item.failed:
            raise AirloopError(f"{name}: {item.failed} requests failed")
    return served


def _train(pipeline: Pipeline, window: Window, settings: Settings, session: Session) -> None:
    stage_groups.run_group(
        "training", Deployment(pipeline, settings), window, on_start=lambda stage: session.say(f"  {stage}")
    )
    upstream = stage_run.stored_upstream("promote", Deployment(pipeline, settings), window)
    stage_run.run_stage("promote", Deployment(pipeline, settings), window, upstream=upstream)


def _rows(pipeline: Pipeline, month: Window, settings: Settings) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Features of the month's last flights; and flights by their keys, asked about after all was known."""
    run_data(pipeline, month, settings, run=stage_run.run_stage)
    last = Window(month.end - timedelta(days=1), month.end)
    frame = examples.feature_frame(pipeline, last, settings, with_labels=False).head(300)
    names = list(feature_names(pipeline, settings))
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in frame[names].to_dict(orient="records")
    ]
    entities = examples.examples(pipeline, last, settings).select(list(_KEYS)).to_pylist()[:300]
    as_of = (month.end + timedelta(minutes=1)).isoformat()
    return rows, [{"entity": entity, "as_of": as_of} for entity in entities]


@contextmanager
def _ours(settings: Settings) -> Iterator[Running]:
    port = choose_port("airloop serve", None, besides=())
    arguments = ("-c", "from airloop_platform.cli import main; main()", "serve", "--no-keys", "--port", str(port))
    with _running(arguments, settings, port, "/v2/models/flight_delays/ready") as service:
        yield service


@contextmanager
def _promotions(settings: Settings) -> Iterator[list[int]]:
    """Promotions by another process; afterwards the list holds how many were made."""
    arguments = ["-m", "benchmarks.promotions", "flight_delays", str(SWAPS), str(SWAP_SECONDS)]
    environment, counts = {**os.environ, **settings_environment(settings)}, list[int]()
    with subprocess.Popen([sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield counts
        output, _ = process.communicate(timeout=SWAP_SECONDS + 60)
    if process.returncode:
        raise AirloopError("the promotions failed; their error stands above")
    counts.append(int(output))


@contextmanager
def _peer(settings: Settings, version: int) -> Iterator[Running]:
    port = choose_port("mlflow models serve", None, besides=())
    options = ("-m", f"models:/flight_delays/{version}", "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port))
    with _running(("-m", "mlflow", "models", "serve", *options), settings, port, "/ping") as service:
        yield service


@contextmanager
def _running(arguments: Sequence[str], settings: Settings, port: int, ready: str) -> Iterator[Running]:
    # `mlflow models serve` looks for uvicorn on the PATH.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, **settings_environment(settings), "PATH": path}
    environment["MLFLOW_TRACKING_URI"] = settings.mlflow_tracking_uri
    began, url = time.monotonic(), f"http://127.0.0.1:{port}"
    with (
        (settings.home / f"service_{port}.log").open("wb") as output,
        subprocess.Popen(
            [sys.executable, *arguments], env=environment, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        try:
            _wait(f"{url}{ready}")
            yield Running(url, psutil.Process(process.pid), time.monotonic() - began)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait(url: str) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 of this machine
                return
        except OSError:
            time.sleep(0.05)
    raise AirloopError(f"{url} does not answer within {_STARTS_WITHIN} s")


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()


def _ask(url: str, body: bytes) -> Any:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 of this machine
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 of this machine
        return json.load(answer)
