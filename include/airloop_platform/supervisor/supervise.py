"""`run`: start everything in the order that is both fast and safe, watch it, and leave nothing behind."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import FrameType

from airloop.errors import AirloopError, ConfigError
from airloop.settings import Settings
from airloop_platform.supervisor.credentials import USERNAME, credentials, mlflow_credentials
from airloop_platform.supervisor.databases import keep_private, mark_migrated, migration_due, prefer_wal
from airloop_platform.supervisor.declarations import Declarations
from airloop_platform.supervisor.environment import LOCALHOST
from airloop_platform.supervisor.parts import Parts, SchedulerHold
from airloop_platform.supervisor.ports import choose_port, choose_ports
from airloop_platform.supervisor.presence import SUPERVISOR, clean_leftovers, holder, refusal
from airloop_platform.supervisor.processes import Command
from airloop_platform.supervisor.records import Platform
from airloop_platform.supervisor.restarts import Restarts
from airloop_platform.supervisor.run_folder import RunFolder, refuse_unusable_home, run_folder, try_lock, write_private
from airloop_platform.supervisor.services import (
    airflow_commands,
    airflow_health,
    mlflow_command,
    mlflow_healthy,
    mlflow_tables_command,
    runs_mlflow,
    serving_command,
    serving_healthy,
    warm_execution_api,
)
from airloop_platform.supervisor.streams import stream_commands, stream_health

# Only a hang takes as long: a part that dies is noticed at once, and a busy machine needs ten times its half minute.
_START_SECONDS = 900.0
_POLL_SECONDS = 0.25
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StopRequested(Exception):
    """SIGINT, SIGTERM or SIGHUP arrived."""


def run(
    settings: Settings,
    *,
    on_progress: Callable[[str], None],
    on_ready: Callable[[Platform], None],
    airflow_port: int | None = None,
    mlflow_port: int | None = None,
    serving_port: int | None = None,
) -> None:
    """Run the platform in the foreground until SIGINT, SIGTERM or SIGHUP; call it from the main thread.

    First ends what a killed supervisor left. Starts everything on 127.0.0.1, calls `on_ready` once all is healthy, then
    watches: a service that dies is started again, at most three times in ten minutes. However it ends, no process of it
    stays; an exception of a callback ends it as well.

    Args:
        settings: With an http(s) `mlflow_tracking_uri` no MLflow server is started.
        on_progress: Gets one short line per step; never a secret.
        on_ready: Gets the platform, once.
        airflow_port: Of the API server; None takes any free port.
        mlflow_port: Of the MLflow server; None takes any free port.
        serving_port: Of the prediction service; None takes any free port.

    Raises:
        AirloopError: The home cannot be written or is full, one runs already, a port asked for is taken, a service was
            not healthy within 900 s, or one died during the start, or later too often: then with its name and the end
            of its log, after everything was stopped.
        ConfigError: The project has no dags folder.
    """
    if not (settings.project_dir / "dags").is_dir():
        message = f"{settings.project_dir} has no dags folder: set AIRLOOP_PROJECT_DIR to the checkout"
        raise ConfigError(message)
    refuse_unusable_home(settings)
    folder = run_folder(settings)
    with _signals() as check_signals, try_lock(folder.lock, holder(SUPERVISOR)) as only_one:
        if not only_one:
            raise refusal(folder)
        clean_leftovers(folder, on_progress=on_progress)
        airflow, mlflow = choose_ports(airflow_port=airflow_port, mlflow_port=mlflow_port)
        serving = choose_port("the prediction service", serving_port, besides=(airflow, mlflow))
        supervision = _Supervision(settings, folder, on_progress, check_signals, airflow, mlflow, serving)
        try:
            supervision.run(on_ready)
        except _StopRequested:
            return


@dataclass(frozen=True)
class _Supervision:
    """One run, from the lock taken to everything stopped."""

    settings: Settings
    folder: RunFolder
    on_progress: Callable[[str], None]
    check_signals: Callable[[], None]
    airflow_port: int
    mlflow_port: int
    serving_port: int

    @property
    def airflow_url(self) -> str:
        return f"http://{LOCALHOST}:{self.airflow_port}"

    @property
    def mlflow_url(self) -> str:
        if not runs_mlflow(self.settings):
            return self.settings.mlflow_tracking_uri
        return f"http://{LOCALHOST}:{self.mlflow_port}"

    @property
    def serving_url(self) -> str:
        return f"http://{LOCALHOST}:{self.serving_port}"

    def run(self, on_ready: Callable[[Platform], None]) -> None:
        secret = credentials(self.settings)
        mlflow_password = mlflow_credentials(self.settings).password if runs_mlflow(self.settings) else ""
        platform = Platform(
            self.airflow_url, self.mlflow_url, USERNAME, secret.admin_password, mlflow_password, self.serving_url
        )
        parts = Parts(self.folder, self.settings.home, self.airflow_url, self.mlflow_url, self.serving_url)
        with self._temporary_files(), closing(parts), closing(SchedulerHold()) as gate:
            try:
                commands = self._start(parts, gate)
                write_private(self.folder.platform, asdict(platform))
                on_ready(platform)
                self._watch(parts, commands)
            finally:
                self.on_progress("stopping")

    def _watch(self, parts: Parts, commands: Mapping[str, Command]) -> None:
        declarations = Declarations(self.settings)
        with closing(Restarts(parts, commands, self._api_answers, self.on_progress)) as restarts:
            while True:
                self.check_signals()
                restarts.look()
                declarations.look()
                time.sleep(_POLL_SECONDS)

    def _api_answers(self) -> bool:
        """Whether the API server is healthy, and the part of it that tasks talk to is built."""
        healthy = airflow_health(self.airflow_url)["api-server"]
        # Seconds only: a stop signal is looked at between two polls.
        return healthy and warm_execution_api(self.airflow_url, timeout_seconds=5)

    @contextmanager
    def _temporary_files(self) -> Iterator[None]:
        shutil.rmtree(self.folder.temporary, ignore_errors=True)
        self.folder.temporary.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(self.folder.temporary, ignore_errors=True)

    def _start(self, parts: Parts, gate: SchedulerHold) -> Mapping[str, Command]:
        """Start everything and return the services' commands.

        Importing is most of the work, so all import at once; the gate keeps the order that matters: a scheduler that is
        faster than the API server fails the tasks which a crash has orphaned.
        """
        since, services = datetime.now(UTC), self._services()
        due = self._preparations(services.pop("migration"))
        if due:
            self.on_progress("preparing the databases")
        for name, command in due.items():
            parts.start(name, command)
        parts.start("scheduler", services["scheduler"], gate=gate.reader)
        if "mlflow" in services:
            self._prepared(parts, due, "mlflow-tables")
            prefer_wal(self.settings.mlflow_tracking_uri)
            self.on_progress("starting the MLflow server")
            parts.start("mlflow", services["mlflow"])
        if self._prepared(parts, due, "migration"):
            mark_migrated(self.settings)
        self.on_progress("starting Airflow")
        for name in services.keys() - {"scheduler", "mlflow"}:
            parts.start(name, services[name])
        self._wait(parts, "Airflow's API server", self._api_answers)
        gate.open()
        self.on_progress("waiting until every service is healthy")
        self._wait(parts, "Airflow", lambda: all(airflow_health(self.airflow_url, since=since).values()))
        self._wait(parts, f"MLflow at {self.mlflow_url}", lambda: mlflow_healthy(self.mlflow_url))
        self._wait(parts, "the prediction service", lambda: serving_healthy(self.serving_url))
        for name in services.keys() & stream_health(self.settings).keys():
            self._wait(parts, f"the service {name}", lambda name=name: stream_health(self.settings)[name])  # type: ignore[misc]
        return services

    def _services(self) -> dict[str, Command]:
        commands = airflow_commands(self.settings, airflow_port=self.airflow_port, mlflow_url=self.mlflow_url)
        if runs_mlflow(self.settings):
            commands["mlflow"] = mlflow_command(self.settings, mlflow_port=self.mlflow_port)
        commands["serving"] = serving_command(self.settings, serving_port=self.serving_port)
        return commands | stream_commands(
            self.settings, used_ports=(self.airflow_port, self.mlflow_port, self.serving_port)
        )

    def _preparations(self, migration: Command) -> dict[str, Command]:
        tables = mlflow_tables_command(self.settings) if runs_mlflow(self.settings) else None
        due = {"mlflow-tables": tables, "migration": migration if migration_due(self.settings) else None}
        keep_private(self.settings)
        return {name: command for name, command in due.items() if command is not None}

    def _prepared(self, parts: Parts, due: Mapping[str, Command], name: str) -> bool:
        """Whether the preparation was due; it is over then."""
        if name in due:
            self._wait(parts, name, lambda: parts.succeeded(name))
        return name in due

    def _wait(self, parts: Parts, what: str, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + _START_SECONDS
        while not condition():
            if time.monotonic() > end:
                message = f"{what} was not healthy within {_START_SECONDS:.0f} s; see {self.settings.home}/logs"
                raise AirloopError(message)
            self._pause(parts)

    def _pause(self, parts: Parts) -> None:
        self.check_signals()
        parts.check()
        time.sleep(_POLL_SECONDS)


@contextmanager
def _signals() -> Iterator[Callable[[], None]]:
    """Turn the stop signals into a flag, so that none of them can interrupt a stop halfway."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    def check() -> None:
        if received:
            raise _StopRequested

    previous = {number: signal.signal(number, note) for number in _STOP_SIGNALS}
    try:
        yield check
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
