"""Report files for a browser: only HTML, only from below `settings.reports_uri`, wherever that is."""

from pathlib import Path

import fsspec

from airloop.errors import UpstreamUnavailable
from airloop.records import Window
from airloop.reports import report_uri
from airloop.settings import Settings

_SUFFIX = ".html"


def read(path: str, settings: Settings) -> str | None:
    """The report at `path` below the reports; None for what is not a report, is not there, or is somewhere else.

    A path with an empty, dotted or hidden part is none, nor is a link that leads out of the reports.

    Raises:
        UpstreamUnavailable: The store does not answer.
    """
    try:
        system, place = _place(path, settings)
        return None if place is None else system.cat_file(place).decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UpstreamUnavailable(f"report {path} cannot be read: {error}") from error


def of_window(settings: Settings, *parts: str, window: Window) -> str | None:
    """The path below the reports of a window's report, when it was written."""
    path = report_uri(settings, *parts, window=window, suffix=_SUFFIX).removeprefix(f"{settings.reports_uri}/")
    try:
        system, place = _place(path, settings)
        return path if place is not None and system.isfile(place) else None
    except OSError as error:
        raise UpstreamUnavailable(f"reports at {settings.reports_uri} cannot be read: {error}") from error


def _place(path: str, settings: Settings) -> tuple[fsspec.AbstractFileSystem, str | None]:
    """The file system of the reports, and the path on it; None when the path is refused."""
    system, root = fsspec.core.url_to_fs(settings.reports_uri, **settings.storage_options)
    parts = path.split("/")
    plain = all(part and not part.startswith(".") and part.isprintable() and "\\" not in part for part in parts)
    if not plain or ":" in path or not path.endswith(_SUFFIX):
        return system, None
    place = f"{root}/{path}"
    local = "file" in ([system.protocol] if isinstance(system.protocol, str) else system.protocol)
    if local and not Path(place).resolve().is_relative_to(Path(root).resolve()):
        return system, None
    return system, place
