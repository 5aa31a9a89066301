"""Receivers of alerts on 127.0.0.1: a mail server and a web hook that keep what they are sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Mailbox:
    """What a mail server got, and where it listens."""

    port: int = 0
    messages: list[Message] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep a message."""
        self.messages.append(message_from_bytes(envelope.content))
        self.recipients.append(envelope.rcpt_tos)
        return "250 kept"


class FreePort(Controller):
    """A server on the port it was given by the system; aiosmtpd knocks at it before it is ready."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server on a free port."""
    box = Mailbox()
    controller = FreePort(box, hostname="127.0.0.1", port=0, ready_timeout=60)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Hook:
    """What a web hook got; `status` is what it answers."""

    url: str = ""
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def web_hook() -> Iterator[Hook]:
    """A web server that takes JSON at any path."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.got.append(json.loads(text))
            self.send_response(hook.status)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: Any) -> None:
            """Nothing in the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
