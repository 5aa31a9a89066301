"""A real browser for the pages, from its command line: headless chromium behind a proxy.

The proxy logs it in at one server, and lets it reach no other.
"""

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import numpy as np
from PIL import Image
from tests.support.waiting import bound

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_HEADLESS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
_WAITING = ("--window-size=1280,900", "--virtual-time-budget=10000")
_CHOOSE = "/choose-theme/"
_NOT_RELAYED = {"connection", "content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class Look:
    """A page as it is shown.

    Attributes:
        dom: Its document.
        brightness: Of its picture: 0 is black, 1 is white; the median, so that texts do not count.
    """

    dom: str
    brightness: float


@dataclass
class Browser:
    """Chromium that is logged in at `home` and sees nothing else.

    Attributes:
        home: Address of the server, without a slash at its end.
        headers: What every request to it carries: the login.
        strangers: Addresses of other hosts that pages asked for, in vain. Chromium's own questions are not among them.
    """

    home: str
    headers: dict[str, str]
    proxy: str = ""
    strangers: list[str] = field(default_factory=list)

    def look(self, path: str, *, dark: bool = False, chosen: str = "", keep: Path | None = None) -> Look:
        """What is shown after the scripts of a page ran.

        Args:
            dark: What the system prefers.
            chosen: The theme chosen in Airflow's UI, `light` or `dark`; none was unless given.
            keep: Where its picture is left for a person to look at.
        """
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "page.png"
            dom = self._run(("--dump-dom", f"--screenshot={picture}"), path, dark=dark, chosen=chosen)
            if keep is not None:
                shutil.copy(picture, keep)
            with Image.open(picture) as image:
                return Look(dom, float(np.median(np.asarray(image.convert("L"))) / 255))

    def _run(self, what: Sequence[str], path: str, *, dark: bool, chosen: str) -> str:
        address = f"{self.home}{_CHOOSE}{chosen}?{quote(path, safe='')}" if chosen else f"{self.home}{path}"
        scheme = ["--force-dark-mode"] if dark else []
        # Chromium goes around a proxy to reach this machine, unless told not to.
        way = [f"--proxy-server={self.proxy}", "--proxy-bypass-list=<-loopback>"]
        with tempfile.TemporaryDirectory() as profile:
            log = Path(profile) / "network.json"
            files = [f"--user-data-dir={profile}", f"--log-net-log={log}"]
            command = [str(CHROMIUM), *_HEADLESS, *_QUIET, *_WAITING, *scheme, *way, *files, *what, address]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=bound(120), check=True)
            addresses = _asked_by_pages(json.loads(log.read_text()))
        self.strangers += [address for address in addresses if not address.startswith(f"{self.home}/")]
        return ended.stdout


def _asked_by_pages(log: dict[str, Any]) -> list[str]:
    """Addresses in Chromium's network log; what it asks on its own account has no origin."""
    started = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    requests = [event.get("params", {}) for event in log["events"] if event["type"] == started]
    return [request["url"] for request in requests if request.get("initiator", "not an origin") != "not an origin"]


@contextmanager
def browser(home: str, headers: dict[str, str]) -> Iterator[Browser]:
    """A browser for the length of a test."""
    chromium = Browser(home, headers)
    handler = type("Handler", (_Proxy,), {"browser": chromium})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        chromium.proxy = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield chromium
        finally:
            server.shutdown()
            thread.join()


class _Proxy(BaseHTTPRequestHandler):
    browser: Browser

    def do_GET(self) -> None:
        path = self.path.removeprefix(self.browser.home)
        if path == self.path:
            self._answer(502, {}, b"")
        elif path.startswith(_CHOOSE):
            theme, _, target = path.removeprefix(_CHOOSE).partition("?")
            script = f"localStorage.setItem('theme', '{theme}'); location.replace('{unquote(target)}')"
            self._answer(200, {"Content-Type": "text/html"}, f"<script>{script}</script>".encode())
        else:
            answer = httpx.get(self.path, headers=self.browser.headers, trust_env=False, timeout=bound(60))
            self._answer(answer.status_code, dict(answer.headers), answer.content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _NOT_RELAYED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""
