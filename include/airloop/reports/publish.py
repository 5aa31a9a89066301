"""Reports below `settings.reports_uri`: named by their window, written whole or not at all."""

from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import files


def report_uri(settings: Settings, *parts: str, window: Window, suffix: str) -> str:
    """`<reports>/<parts...>/<start>_<end><suffix>`; instants like 20130201T000000Z, fit for every file system."""
    start, end = (f"{bound:%Y%m%dT%H%M%SZ}" for bound in (window.start, window.end))
    return "/".join([settings.reports_uri, *parts, f"{start}_{end}{suffix}"])


def publish(uri: str, text: str, settings: Settings) -> None:
    """Put a report in place of what `uri` held; a reader sees the old one or the new one, never a part.

    Raises:
        UpstreamUnavailable: The place cannot be written.
    """
    files.put(uri, text.encode(), settings)
