"""Run the service: one process or several, on a port that is taken before anything is loaded."""

import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from airloop.errors import AirloopError
from airloop.serving.api.app import build
from airloop.serving.api.service import Service
from airloop.settings import apply_quiet_environment, load_settings

_OPEN = "AIRLOOP_SERVING_OPEN_TO_ALL"
_GRACE_SECONDS = 15
# A worker that imports what its first model needs answers late, and is well.
_HEALTHCHECK_SECONDS = 120


def application() -> Any:
    """The application of this process, for uvicorn's workers."""
    apply_quiet_environment()
    level = logging.INFO if os.environ.get("AIRLOOP_SERVING_VERBOSE") else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Read apart from Settings, whose variables are those of an installation and not of one command.
    open_to_all = os.environ.pop(_OPEN, "") == "1"
    return build(Service(load_settings(), open_to_all=open_to_all))


def serve(host: str, port: int, *, workers: int, open_to_all: bool, on_listening: Callable[[str], None]) -> None:
    """Answer requests until SIGTERM or SIGINT; what was accepted by then is answered, for at most 15 s.

    Args:
        port: 0 takes a free one.
        open_to_all: Ask for no key.
        on_listening: Gets the URL once the port is taken.

    Raises:
        AirloopError: The port cannot be taken.
    """
    listener = _listen(host, port)
    os.environ[_OPEN] = "1" if open_to_all else ""
    config = uvicorn.Config(
        "airloop.serving.api.run:application",
        factory=True,
        host=host,
        port=listener.getsockname()[1],
        workers=workers,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_worker_healthcheck=_HEALTHCHECK_SECONDS,
        server_header=False,
    )
    shown = f"[{host}]" if ":" in host else host
    on_listening(f"http://{shown}:{listener.getsockname()[1]}")
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        message = f"port {port} on {host} cannot be used ({error}): free it, or choose another by --port"
        raise AirloopError(message) from error
    listener.set_inheritable(True)
    return listener
