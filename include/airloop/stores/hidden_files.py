"""Files on their way into a folder, at any fsspec URL: hidden from who lists it until all of them are complete."""

import io
import secrets
import time
from contextlib import suppress
from typing import Self, TextIO

import fsspec

_PREFIX = ".extracting."
_ABANDONED_SECONDS = 86_400


class HiddenFiles:
    """A folder's new files. They appear with `publish`; without it they are gone at the end of the block.

    A killed process leaves its hidden files (`.extracting.<time>.<token>.<name>`), which nobody lists; the first one
    that enters the folder a day later removes them.

    Raises:
        OSError: The file system does not do what is asked.
    """

    def __init__(self, folder_uri: str, storage_options: dict[str, str]) -> None:
        self._system, self._folder = fsspec.core.url_to_fs(folder_uri, **storage_options)
        self._token = f"{_PREFIX}{int(time.time())}.{secrets.token_hex(4)}."
        self._names: list[str] = []

    def __enter__(self) -> Self:
        self._system.makedirs(self._folder, exist_ok=True)
        self._system.invalidate_cache()
        for path in self._system.ls(self._folder, detail=False):
            parts = path.rsplit("/", 1)[-1].removeprefix(_PREFIX).split(".")
            if path.rsplit("/", 1)[-1].startswith(_PREFIX) and int(parts[0]) < time.time() - _ABANDONED_SECONDS:
                self._remove(path)
        return self

    def __exit__(self, *_error: object) -> None:
        for name in self._names:
            self._remove(self._hidden(name))

    def open(self, name: str) -> TextIO:
        """A new file to write UTF-8 into; the caller closes it. A second one of the same name raises ValueError."""
        if name in self._names:
            raise ValueError(name)
        self._names.append(name)
        return io.TextIOWrapper(self._system.open(self._hidden(name), "wb"), encoding="utf-8", newline="")

    def publish(self, *, replace: bool) -> tuple[str, ...]:
        """Let the files appear in the order they were opened; returns the URIs of those that did.

        Args:
            replace: Whether a file of the same name goes; otherwise it stays, and the new one is dropped.
        """
        published = []
        for name in list(self._names):
            target = f"{self._folder}/{name}"
            if replace or not self._system.exists(target):
                self._system.mv(self._hidden(name), target)
                self._names.remove(name)
                published.append(self._system.unstrip_protocol(target))
        return tuple(published)

    def _hidden(self, name: str) -> str:
        return f"{self._folder}/{self._token}{name}"

    def _remove(self, path: str) -> None:
        with suppress(OSError):
            self._system.rm_file(path)
