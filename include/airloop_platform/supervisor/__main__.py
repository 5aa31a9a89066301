"""The detached supervisor: `python -m airloop_platform.supervisor`, started by `start_detached`.

Tells its starter on stdout, one JSON object per line: {"progress": text}, finally {"ready": true} or {"failed": text}.
"""

import argparse
import json
import logging
import os
import sys

from airloop.errors import AirloopError
from airloop.settings import load_settings
from airloop_platform.supervisor.records import Platform
from airloop_platform.supervisor.supervise import run

_LOG = logging.getLogger("airloop_platform.supervisor")


class _Starter:
    """The process that waits for the platform; once it is ready nobody listens any more."""

    def __init__(self) -> None:
        """Somebody listens until `ready`."""
        self._listens = True

    def progress(self, text: str) -> None:
        """Log a step and pass it on; a starter that has gone away is an OSError, which ends the start."""
        _LOG.info("%s", text)
        self.tell("progress", text)

    def ready(self, platform: Platform) -> None:
        """Let the starter go."""
        _LOG.info("ready at %s", platform.airflow_url)
        self.tell("ready", True)
        self._listens = False
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(self, kind: str, content: str | bool) -> None:
        """Write one message."""
        if self._listens:
            os.write(sys.stdout.fileno(), (json.dumps({kind: content}) + "\n").encode())


def main() -> int:
    """Supervise until stopped; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m airloop_platform.supervisor")
    parser.add_argument("--airflow-port", type=int)
    parser.add_argument("--mlflow-port", type=int)
    parser.add_argument("--serving-port", type=int)
    ports = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    starter = _Starter()
    try:
        run(
            load_settings(),
            on_progress=starter.progress,
            on_ready=starter.ready,
            airflow_port=ports.airflow_port,
            mlflow_port=ports.mlflow_port,
            serving_port=ports.serving_port,
        )
    except BrokenPipeError:
        _LOG.error("the process that started the platform went away before it was ready")
        return 1
    except (AirloopError, OSError) as error:
        _LOG.error("%s", error)
        starter.tell("failed", str(error))
        return 1
    return 0


if __name__ == "__main__":
    # The starter must not get a zombie when the supervisor ends, so init adopts it.
    if os.fork():
        os._exit(0)
    sys.exit(main())
