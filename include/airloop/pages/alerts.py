"""What people should know now, worst first: the panel on top of the list of pipelines and of each pipeline's page."""

from collections.abc import Sequence
from typing import Any

from airloop.pages.site import Site
from airloop.stores import alerts

_SHOWN = 20
_OWN = "airloop/"
_STATES = {"critical": "bad", "warning": "warn", "info": "open"}


def lines(site: Site, names: Sequence[str]) -> list[dict[str, Any]]:
    """The open alerts of pipelines: the most severe first, of one severity the newest first.

    Raises:
        UpstreamUnavailable: The state database does not answer.
    """
    items = alerts.open_alerts(site.settings, *names)
    return [
        {
            "pipeline": item.pipeline,
            "alert": item.alert,
            "since": item.opened_at,
            "state": _STATES[item.alert.severity],
            "href": _href(site, item.alert.link),
            "out": not item.alert.link.startswith(_OWN),
        }
        for item in items[:_SHOWN]
    ]


def _href(site: Site, link: str) -> str:
    """The address of an alert's page: ours lie below the site's base, Airflow's own beside it."""
    if link.startswith(_OWN):
        return f"{site.base}/{link.removeprefix(_OWN)}"
    return f"{site.base.removesuffix('/airloop')}/{link}" if link else ""
