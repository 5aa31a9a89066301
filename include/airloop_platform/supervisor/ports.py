"""Ports on 127.0.0.1: those asked for if they are free, else any two free ones."""

import socket
from contextlib import ExitStack

from airloop.errors import AirloopError
from airloop_platform.supervisor.environment import LOCALHOST


def choose_ports(*, airflow_port: int | None, mlflow_port: int | None) -> tuple[int, int]:
    """The ports for Airflow's API server and the MLflow server; None means any free one.

    Raises:
        AirloopError: A port asked for is taken; the message names it.
    """
    with ExitStack() as stack:
        # Both are held until both are known, so they differ.
        return _reserve(stack, "Airflow", airflow_port), _reserve(stack, "MLflow", mlflow_port)


def choose_port(name: str, port: int | None, *, besides: tuple[int, ...]) -> int:
    """The port asked for, or a free one that is none of `besides`.

    Raises:
        AirloopError: The port asked for is taken.
    """
    while True:
        with ExitStack() as stack:
            chosen = _reserve(stack, name, port)
        if chosen not in besides:
            return chosen
        if port is not None:
            raise AirloopError(f"port {port} was asked for twice: choose another for {name}")


def _reserve(stack: ExitStack, name: str, port: int | None) -> int:
    listener = stack.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOCALHOST, port or 0))
    except (OSError, OverflowError) as error:
        message = f"port {port} for {name} on {LOCALHOST} cannot be used ({error}): free it or choose another"
        raise AirloopError(message) from error
    chosen: int = listener.getsockname()[1]
    return chosen
