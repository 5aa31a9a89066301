"""How old the newest value of a feature view is, against how long a value may be used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airloop.config import Pipeline
from airloop.records import parse_instant
from airloop.settings import Settings


@dataclass(frozen=True)
class Freshness:
    """What is known of a view's newest value.

    Attributes:
        newest: The largest known_at in the lake; None when nothing was built.
        online_until: End of the newest window that was materialized; None when none was.
        age: From `newest` to the time the pipeline has reached.
        stale: Older than the view's ttl: a prediction now would get no value of it.
    """

    newest: datetime | None
    online_until: datetime | None
    age: timedelta | None
    stale: bool


def reached(pipeline: Pipeline, newest_end: datetime | None, now: datetime) -> datetime:
    """The time freshness is told against: now; for a pipeline over past data the end of its newest window."""
    end = pipeline.coverage.end
    return newest_end if newest_end is not None and end is not None and end < now else now


def of_view(pipeline: Pipeline, view: dict[str, Any], at: datetime, settings: Settings) -> Freshness:
    """The freshness of a view of the catalogue at an instant.

    Raises:
        UpstreamUnavailable: The lake does not answer.
    """
    newest = _newest(pipeline, view["name"], settings)
    online = parse_instant(view["online_until"]) if view["online_until"] else None
    age = max(at - newest, timedelta()) if newest else None
    ttl = view["ttl_seconds"]
    return Freshness(newest, online, age, stale=bool(age and ttl and age > timedelta(seconds=ttl)))


def _newest(pipeline: Pipeline, view: str, settings: Settings) -> datetime | None:
    """From the statistics of the table's files: no row is read."""
    from airloop.stores import lake  # half a second at its first import

    table = lake.open_table(lake.table_uri(settings, pipeline.name, "features", view), settings)
    if table is None:
        return None
    actions = table.get_add_actions(flatten=True)
    name = "max.known_at"
    instants = [value for value in actions[name].to_pylist() if value] if name in actions.schema.names else []
    return max(instants, default=None)
