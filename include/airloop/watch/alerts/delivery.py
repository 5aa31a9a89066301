"""Who is told of what: the routes of pipeline.yaml, at most one message a cause and day, and one when it is over."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from airloop.config import Pipeline
from airloop.config.alerts import SEVERITIES, AlertRoute
from airloop.records import Alert
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import alerts
from airloop.stores.alerts import OPENED, RESOLVED, StoredAlert
from airloop.watch.alerts.causes import STATE_KINDS, of_state

logger = logging.getLogger(__name__)

Send = Callable[[AlertRoute, StoredAlert, bool], None]
"""Sends one message: the route, the alert, and whether it says that the alert is resolved."""

_LATE = timedelta(days=2)


def tell(
    pipeline: Pipeline,
    settings: Settings,
    *,
    now: datetime,
    send: Send,
    noticed: Sequence[Alert] = (),
    over: Callable[[Alert], bool] = lambda _alert: False,
) -> None:
    """Bring the alerts up to date with records and ledger, then tell whom the declaration names.

    Args:
        noticed: What the caller knows beside (a failed run, a paused DAG).
        over: Whether an open alert that is neither found here nor among `noticed` has ended, of kinds the caller knows.
    """
    alive = (*of_state(pipeline, settings, now=now), *noticed)
    alerts.note(settings, pipeline.name, alive, now=now, is_over=lambda alert: alert.kind in STATE_KINDS or over(alert))
    deliver(pipeline, settings, now=now, send=send)


def deliver(pipeline: Pipeline, settings: Settings, *, now: datetime, send: Send) -> None:
    """Send what is due, each message on its own: one receiver that does not answer keeps nothing from another.

    A message is claimed before it is sent: two senders at once send one. What cannot be sent is given back and sent by
    the next look, and what a sender had claimed that was killed meanwhile, by a look some minutes later.
    """
    for route in pipeline.alerts:
        for alert, says in _due(pipeline, route, settings, now):
            claimed: dict[str, Any] = {"route": _route_id(route), "says": says, "now": now}
            if not alerts.claim(settings, alert, **claimed):
                continue
            try:
                send(route, alert, says == RESOLVED)
            except Exception:
                alerts.withdraw(settings, alert, **claimed)
                # Whatever the receiver's library raises: the loop must not stop because somebody could not be told.
                logger.exception("%s: alert %r was not delivered to %s", pipeline.name, alert.alert.cause, route.to)
            else:
                alerts.sent(settings, alert, **claimed)


def _due(pipeline: Pipeline, route: AlertRoute, settings: Settings, now: datetime) -> Iterator[tuple[StoredAlert, str]]:
    for alert in alerts.since(settings, pipeline.name, now - _LATE):
        if not _wants(route, alert.alert):
            continue
        told_of_start, told_of_end = (
            alerts.was_told(settings, alert, route=_route_id(route), says=says) for says in (OPENED, RESOLVED)
        )
        if alert.alert.ends and alert.resolved_at is not None:
            if told_of_start and not told_of_end:
                yield alert, RESOLVED
        elif not told_of_start or (alert.alert.ends and alert.alert.severity != SEVERITIES[0]):
            yield alert, OPENED


def _wants(route: AlertRoute, alert: Alert) -> bool:
    severe = SEVERITIES.index(alert.severity) >= SEVERITIES.index(route.severity)
    return severe and (not route.kinds or alert.kind in route.kinds)


def _route_id(route: AlertRoute) -> str:
    """What makes two routes the same receiver; another severity is still the same one."""
    return digest([route.to, route.connection, *route.recipients])[:16]
