"""A bucket on 127.0.0.1 that speaks what reading needs of S3: ListObjectsV2, HEAD and GET with a range."""

import hashlib
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from xml.sax.saxutils import escape

KEY = "reader"
"""Who is let in; the signature is not looked at."""


class _Server(ThreadingHTTPServer):
    bucket: str
    objects: dict[str, bytes]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        place, server = urllib.parse.urlsplit(self.path), cast("_Server", self.server)
        bucket, _, key = urllib.parse.unquote(place.path).lstrip("/").partition("/")
        if bucket != server.bucket or f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
            self._answer(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
        elif not key:
            query = dict(urllib.parse.parse_qsl(place.query))
            self._answer(200, _listed(server, query.get("prefix", "")))
        elif key not in server.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>")
        else:
            self._object(server.objects[key])

    def do_HEAD(self) -> None:
        self.do_GET()

    def _object(self, content: bytes) -> None:
        head = {"ETag": _etag(content), "Last-Modified": "Sat, 04 Jan 2020 00:00:00 GMT"}
        byte_range = self.headers.get("Range", "").removeprefix("bytes=")
        if not byte_range:
            self._answer(200, content, head)
            return
        first, _, last = byte_range.partition("-")
        part = content[int(first) : int(last) + 1 if last else None]
        head["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        self._answer(206, part, head)

    def _answer(self, status: int, body: bytes, head: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (head or {"Content-Type": "application/xml"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served(bucket: str, objects: dict[str, bytes]) -> Iterator[int]:
    """Serve the objects (key -> content) of one bucket; yields the port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.bucket, server.objects = bucket, objects
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listed(server: _Server, prefix: str) -> bytes:
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2020-01-04T00:00:00.000Z</LastModified>"
        f"<ETag>{escape(_etag(content))}</ETag><Size>{len(content)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, content in sorted(server.objects.items())
        if key.startswith(prefix)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{server.bucket}</Name><Prefix>{escape(prefix)}</Prefix><IsTruncated>false</IsTruncated>{entries}"
        "</ListBucketResult>"
    ).encode()


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
