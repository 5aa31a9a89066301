"""Reports below `settings.reports_uri`: named by their window, written whole or not at all."""

import uuid

import fsspec

from airloop.errors import UpstreamUnavailable
from airloop.records import Window
from airloop.settings import Settings

# A put to these appears whole or not at all, and a rename would be a second copy.
_PUT_IS_ATOMIC = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})


def report_uri(settings: Settings, *parts: str, window: Window, suffix: str) -> str:
    """`<reports>/<parts...>/<start>_<end><suffix>`; instants like 20130201T000000Z, fit for every file system."""
    start, end = (f"{bound:%Y%m%dT%H%M%SZ}" for bound in (window.start, window.end))
    return "/".join([settings.reports_uri, *parts, f"{start}_{end}{suffix}"])


def publish(uri: str, text: str, settings: Settings) -> None:
    """Put a report in place of what `uri` held; a reader sees the old one or the new one, never a part.

    Raises:
        UpstreamUnavailable: The place cannot be written.
    """
    try:
        system, path = fsspec.core.url_to_fs(uri, **settings.storage_options)
        folder, name = path.rsplit("/", 1)
        if set([system.protocol] if isinstance(system.protocol, str) else system.protocol) & _PUT_IS_ATOMIC:
            system.pipe_file(path, text.encode())
            return
        system.makedirs(folder, exist_ok=True)
        partial = f"{folder}/.{name}.{uuid.uuid4().hex}.partial"
        try:
            system.pipe_file(partial, text.encode())
            system.mv(partial, path)
        finally:
            if system.exists(partial):
                system.rm_file(partial)
    except OSError as error:
        raise UpstreamUnavailable(f"report {uri} cannot be written: {error}") from error
