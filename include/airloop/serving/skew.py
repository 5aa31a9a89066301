"""Whether the service is given what training would have been given: logged online values beside the offline ones.

For each row that was looked up by its keys, the offline table is asked for the same key at the same instant (`as_of`),
as a training set asks it. Where it holds a value that became known later than the one the service had, it was not yet
materialized: that is lateness. Where it holds the value of the very same instant, and another one, the two ways to
compute a feature differ: that is skew. A correction that landed since the answer looks the same, so a share is allowed.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from airloop.config import Pipeline
from airloop.feast_stores.asof_join import INSTANT, History, as_of_lines
from airloop.features import online_views
from airloop.features.online_views import OnlineView
from airloop.records import Alarm, Record, Window, parse_instant
from airloop.records.digests import digest
from airloop.serving.champions import STAGE
from airloop.serving.collect import online_uri
from airloop.settings import Settings
from airloop.stores import alarms, lake, state

logger = logging.getLogger(__name__)

KIND = "online_offline_skew"
_SAME = 1e-9
_MOST_ROWS = 50_000
_INSTANT_COLUMN = " as of"
# The online store keeps whole seconds.
_SAME_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True)
class ViewSkew(Record):
    """One view's values, online beside offline.

    Attributes:
        rows: Compared: the service had a value, and offline there is one of the same instant.
        differing: Of those, with another value of any feature.
        late: Rows besides, where offline there was a newer value by then.
        gone: Further rows, for which the offline store has no value at all.
        example: The first difference in words; empty where there is none.
    """

    view: str
    rows: int
    differing: int
    late: int
    gone: int
    example: str = ""

    @property
    def share(self) -> float:
        """Differing or gone, of the rows that say something."""
        all_rows = self.rows + self.gone
        return (self.differing + self.gone) / all_rows if all_rows else 0.0


@dataclass(frozen=True)
class _Asked:
    """A logged row as one view was read for it."""

    keys: tuple[Any, ...]
    as_of: datetime
    known_at: datetime
    features: Mapping[str, Any]
    explicit: frozenset[str]


def check(pipeline: Pipeline, days: Sequence[str], settings: Settings) -> tuple[ViewSkew, ...]:
    """Compare the answers of these days (UTC, like 2013-02-01), and raise or close the alarms of each.

    Raises:
        DataContractError: `validation.fail_on` names the alarm.
        UpstreamUnavailable: The lake or the state database does not answer.
    """
    skews: list[ViewSkew] = []
    for day in days:
        start = parse_instant(f"{day}T00:00:00Z")
        window = Window(start, start + timedelta(days=1))
        of_day = skew(pipeline, window, settings)
        logger.info("%s %s: %s", pipeline.name, window, of_day)
        _tell(pipeline, window, of_day, settings)
        skews += of_day
    return tuple(skews)


def skew(pipeline: Pipeline, window: Window, settings: Settings) -> tuple[ViewSkew, ...]:
    """Every view whose values were looked up for answers of the window (wall clock), and how they compare."""
    rows = _logged(pipeline, window, settings)
    views = online_views.online_views(pipeline, settings)
    compared = ((view, lookups) for view in views if (lookups := [one for row in rows if (one := _asked(view, row))]))
    return tuple(_of_view(pipeline, view, lookups, settings) for view, lookups in compared)


def _logged(pipeline: Pipeline, window: Window, settings: Settings) -> list[dict[str, Any]]:
    uri = online_uri(pipeline, settings)
    if lake.open_table(uri, settings) is None:
        return []
    columns = ["decision_time", "entity", "features", "ages", "flags", "explicit"]
    table = lake.read(uri, settings, where=lake.between("answered_at", window), columns=columns)
    return list(table.slice(0, _MOST_ROWS).to_pylist())


def _asked(view: OnlineView, row: Mapping[str, Any]) -> _Asked | None:
    """None where the view was not read for the row, or its values were too old to be used."""
    ages = json.loads(row["ages"])
    if view.name not in ages or view.name in json.loads(row["flags"]):
        return None
    entity, as_of = json.loads(row["entity"]), row["decision_time"].replace(tzinfo=UTC)
    return _Asked(
        keys=tuple(entity.get(view.asked_as[name]) for name in view.keys),
        as_of=as_of,
        known_at=as_of - timedelta(seconds=ages[view.name]),
        features=json.loads(row["features"]),
        explicit=frozenset(json.loads(row["explicit"])),
    )


def _of_view(pipeline: Pipeline, view: OnlineView, lookups: list[_Asked], settings: Settings) -> ViewSkew:
    lookups.sort(key=lambda one: one.as_of)
    offline_rows = _offline(pipeline, view, lookups, settings)
    rows = differing = late = gone = 0
    example = ""
    for one, offline in zip(lookups, offline_rows, strict=True):
        newer = None if offline is None else offline["known_at"].replace(tzinfo=UTC) - one.known_at
        if offline is None or newer is None or newer < -_SAME_INSTANT:
            gone += 1
        elif newer > _SAME_INSTANT:
            late += 1
        else:
            rows += 1
            says = _difference(view, one, offline)
            differing += bool(says)
            example = example or says
    return ViewSkew(view.name, rows, differing, late, gone, example)


def _offline(
    pipeline: Pipeline, view: OnlineView, lookups: Sequence[_Asked], settings: Settings
) -> list[dict[str, Any] | None]:
    """What the feature table holds for each asked row, as a training set would be given it."""
    uri = lake.table_uri(settings, pipeline.name, "features", view.name)
    if lake.open_table(uri, settings) is None:
        return [None] * len(lookups)
    ttl = timedelta(seconds=view.ttl_seconds)
    span = Window(lookups[0].as_of - ttl, lookups[-1].as_of + timedelta(microseconds=1))
    table = lake.read(uri, settings, where=lake.between("known_at", span))
    keys = [pa.array([one.keys[at] for one in lookups]) for at in range(len(view.keys))]
    instants = pa.array([one.as_of.replace(tzinfo=None) for one in lookups], INSTANT)
    question = pa.table([*keys, instants], names=[*view.keys, _INSTANT_COLUMN])
    history = History(view.name, table, tuple(view.keys), "known_at", "created_at")
    lines = as_of_lines(history, question, ttl=ttl).to_pylist()
    there = pa.array([line for line in lines if line is not None], pa.int64())
    known = iter(table.take(there).to_pylist())
    return [None if line is None else next(known) for line in lines]


def _difference(view: OnlineView, one: _Asked, offline: Mapping[str, Any]) -> str:
    for name in view.features:
        if name in one.explicit or name not in one.features or name not in offline:
            continue
        online = one.features[name]
        if not _same(online, offline[name]):
            key = ", ".join(map(str, one.keys))
            return f"{name} of {key} at {one.as_of:%Y-%m-%dT%H:%M:%SZ}: online {online!r}, offline {offline[name]!r}"
    return ""


def _same(online: Any, offline: Any) -> bool:
    if isinstance(offline, list) and isinstance(online, list):
        return len(online) == len(offline) and all(map(_same, online, offline))
    if isinstance(offline, float) and math.isnan(offline):
        offline = None
    if online is None or offline is None or isinstance(online, str | bool) or isinstance(offline, str | bool):
        return bool(online == offline)
    return math.isclose(online, offline, rel_tol=_SAME, abs_tol=_SAME)


def _tell(pipeline: Pipeline, window: Window, skews: Sequence[ViewSkew], settings: Settings) -> None:
    """Make the alarms of a day its newest record; one that is over is closed by a record without it."""
    declared = pipeline.serving.skew
    noticed = [
        _alarm(pipeline, one, declared.max_share)
        for one in skews
        if one.rows + one.gone >= declared.min_rows and one.share > declared.max_share
    ]
    record = {"window": window.to_json(), "alarms": [alarm.to_json() for alarm in noticed]}
    records = state.latest_records(settings, pipeline.name, STAGE, window=window)
    if (records[-1] == record) if records else not noticed:
        return
    key = digest([record, len(records)])
    state.save_record(settings, pipeline.name, STAGE, input_key=key, window=window, record=record)
    alarms.announce(pipeline, STAGE, window, noticed, settings)


def _alarm(pipeline: Pipeline, one: ViewSkew, allowed: float) -> Alarm:
    says = (
        f"view {one.view}: {one.differing + one.gone} of {one.rows + one.gone} values that the service looked up are "
        f"not what the feature table holds for the same key and instant ({one.share:.1%}, allowed {allowed:.1%}"
        f"{'; ' if one.example else ''}{one.example}). Was the table built again by other definitions, or corrected, "
        f"without being materialized? `airloop run materialize {pipeline.name}` over its window puts the values online"
    )
    return Alarm(KIND, one.view, says, observed=one.share, expected=allowed, holds_training=False)
