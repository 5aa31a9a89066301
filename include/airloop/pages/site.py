"""Where the pages are: the settings they read, and the addresses they link to."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from airloop.records import Window
from airloop.settings import Settings

_INSTANT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Site:
    """The pages of one installation.

    Attributes:
        base: Path of the pages, without a slash at its end: `/airloop`.
        now: Wall clock (UTC); ages of what is live are told against it.
    """

    settings: Settings
    base: str
    now: datetime

    def href(self, *parts: str | int, **query: str) -> str:
        """The address of a page: its path, and what it is asked."""
        path = "/".join([self.base, *(quote(str(part), safe="") for part in parts)])
        return f"{path}?{urlencode(query)}" if query else path

    def pipeline(self, name: str, *parts: str | int, **query: str) -> str:
        """The address of a pipeline's page; without more, of its overview."""
        return self.href("pipelines", name, *parts, **query)

    def window(self, name: str, window: Window, **query: str) -> str:
        """The address of a window's page."""
        return self.pipeline(name, "windows", *(f"{bound:{_INSTANT}}" for bound in (window.start, window.end)), **query)

    def report(self, path: str) -> str:
        """The address of a report file below `settings.reports_uri`."""
        return f"{self.base}/reports/{quote(path)}"
