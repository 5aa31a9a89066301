"""Alerts as they are stored: one row per cause, and who was told of it on which day."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from airloop.records import Alert, parse_instant
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.tables import alert_deliveries, alerts

OPENED, RESOLVED = "opened", "resolved"
SENDS_FOR = timedelta(minutes=10)
"""Longer than any receiver takes to answer or to be given up."""
_BEGUN = "!"
_WORST_FIRST = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class StoredAlert:
    """An alert and its times (wall clock, UTC).

    Attributes:
        resolved_at: None while the cause lasts; an event is over when it happens.
    """

    pipeline: str
    alert: Alert
    opened_at: datetime
    seen_at: datetime
    resolved_at: datetime | None


def note(
    settings: Settings,
    pipeline: str,
    noticed: Sequence[Alert],
    *,
    now: datetime,
    is_over: Callable[[Alert], bool] = lambda _alert: False,
) -> None:
    """Keep what was found, and resolve the open alerts that are over; the same again changes nothing but times.

    Args:
        is_over: Asked of each open alert that is not among `noticed`.
    """
    try:
        _note(settings, pipeline, noticed, now, is_over)
    except sa.exc.IntegrityError:  # another look stored the same cause first, on a database that lets both begin
        _note(settings, pipeline, noticed, now, is_over)


def _note(
    settings: Settings, pipeline: str, noticed: Sequence[Alert], now: datetime, is_over: Callable[[Alert], bool]
) -> None:
    causes = {alert.cause for alert in noticed}
    with state.transaction(settings) as connection:
        open_by_cause = {item.alert.cause: item for item in _rows(connection, alerts.c.pipeline == pipeline, _open())}
        for cause, item in open_by_cause.items():
            if cause not in causes and is_over(item.alert):
                _update(connection, pipeline, cause, resolved_at=state.instant_text(now))
        for alert in noticed:
            _keep(connection, pipeline, alert, now, is_open=alert.cause in open_by_cause)


def open_alerts(settings: Settings, *pipelines: str) -> tuple[StoredAlert, ...]:
    """The alerts of pipelines whose cause lasts, worst first, of one severity the newest first."""
    with state.reading(settings) as connection:
        rows = _rows(connection, alerts.c.pipeline.in_(pipelines), _open())
    return tuple(sorted(rows, key=worst_first))


def worst_first(stored: StoredAlert) -> tuple[int, float]:
    """A sort key: the most severe first, of one severity the newest first."""
    return _WORST_FIRST[stored.alert.severity], -stored.opened_at.timestamp()


def since(settings: Settings, pipeline: str, instant: datetime) -> tuple[StoredAlert, ...]:
    """Alerts that are open, or were opened or resolved since an instant (wall clock)."""
    text = state.instant_text(instant)
    newer = sa.or_(_open(), alerts.c.opened_at >= text, alerts.c.resolved_at >= text)
    with state.reading(settings) as connection:
        return tuple(_rows(connection, alerts.c.pipeline == pipeline, newer))


def find(settings: Settings, pipeline: str, cause: str) -> StoredAlert | None:
    """The alert of a cause; None when there was never one."""
    with state.reading(settings) as connection:
        return next(iter(_rows(connection, alerts.c.pipeline == pipeline, alerts.c.cause == cause)), None)


def claim(settings: Settings, stored: StoredAlert, *, route: str, says: str, now: datetime) -> bool:
    """Reserve the day's message about a cause for one sender; False when it was sent today, or is being sent.

    A sender that was killed while it sent has not said that the message is out (`sent`): after SENDS_FOR another one
    sends it.
    """
    row = {**_delivery(stored, route, says), "day": f"{now:%Y-%m-%d}", "sent_at": _begun(now)}
    try:
        with state.transaction(settings) as connection:
            connection.execute(alert_deliveries.insert().values(**row))
    except sa.exc.IntegrityError:
        return _take_over(settings, _of_day(stored, route, says, now), now)
    return True


def _take_over(settings: Settings, message: list[sa.ColumnElement[bool]], now: datetime) -> bool:
    """Claim a message that somebody began to send too long ago."""
    sent_at = alert_deliveries.c.sent_at
    with state.transaction(settings) as connection:
        before = connection.execute(sa.select(sent_at).where(*message)).scalar() or ""
        if not before.startswith(_BEGUN) or now - parse_instant(before.removeprefix(_BEGUN)) < SENDS_FOR:
            return False
        update = alert_deliveries.update().where(*message, sent_at == before).values(sent_at=_begun(now))
        return connection.execute(update).rowcount == 1


def sent(settings: Settings, stored: StoredAlert, *, route: str, says: str, now: datetime) -> None:
    """The claimed message is out."""
    done = alert_deliveries.update().where(*_of_day(stored, route, says, now))
    with state.transaction(settings) as connection:
        connection.execute(done.values(sent_at=state.instant_text(now)))


def withdraw(settings: Settings, stored: StoredAlert, *, route: str, says: str, now: datetime) -> None:
    """Give a message back that could not be sent, so that the next look sends it."""
    with state.transaction(settings) as connection:
        connection.execute(alert_deliveries.delete().where(*_of_day(stored, route, says, now)))


def was_told(settings: Settings, stored: StoredAlert, *, route: str, says: str) -> bool:
    """Whether a receiver was told this of an alert since it was opened."""
    table = alert_deliveries
    later = table.c.sent_at >= state.instant_text(stored.opened_at)
    out = sa.not_(table.c.sent_at.startswith(_BEGUN))
    query = sa.select(table.c.day).where(*_same(stored, route, says), out, later).limit(1)
    with state.reading(settings) as connection:
        return connection.execute(query).first() is not None


def _begun(at: datetime) -> str:
    """When somebody began to send a message that is not known to be out."""
    return f"{_BEGUN}{state.instant_text(at)}"


def _same(stored: StoredAlert, route: str, says: str) -> list[sa.ColumnElement[bool]]:
    return [alert_deliveries.c[name] == value for name, value in _delivery(stored, route, says).items()]


def _of_day(stored: StoredAlert, route: str, says: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    return [*_same(stored, route, says), alert_deliveries.c.day == f"{now:%Y-%m-%d}"]


def _delivery(stored: StoredAlert, route: str, says: str) -> dict[str, str]:
    return {"pipeline": stored.pipeline, "cause": stored.alert.cause, "route": route, "says": says}


def _open() -> sa.ColumnElement[bool]:
    return alerts.c.resolved_at == ""


def _rows(connection: Connection, *where: sa.ColumnElement[bool]) -> list[StoredAlert]:
    return [
        StoredAlert(
            row["pipeline"],
            Alert.from_json(json.loads(row["alert"])),
            parse_instant(row["opened_at"]),
            parse_instant(row["seen_at"]),
            parse_instant(row["resolved_at"]) if row["resolved_at"] else None,
        )
        for row in connection.execute(sa.select(alerts).where(*where)).mappings()
    ]


def _keep(connection: Connection, pipeline: str, alert: Alert, now: datetime, *, is_open: bool) -> None:
    at = state.instant_text(now)
    values: dict[str, Any] = {"alert": json.dumps(alert.to_json(), sort_keys=True), "seen_at": at}
    if is_open:
        _update(connection, pipeline, alert.cause, **values)
        return
    if not _update_again(connection, pipeline, alert, values, at):
        over = "" if alert.ends else at
        row = {**values, "pipeline": pipeline, "cause": alert.cause, "opened_at": at, "resolved_at": over}
        connection.execute(alerts.insert().values(**row))


def _update_again(connection: Connection, pipeline: str, alert: Alert, values: dict[str, Any], at: str) -> bool:
    """Open a resolved alert again; an event that is known stays as it was. False when there is no such row."""
    if not alert.ends:
        known = sa.select(alerts.c.cause).where(alerts.c.pipeline == pipeline, alerts.c.cause == alert.cause)
        return connection.execute(known).first() is not None
    return _update(connection, pipeline, alert.cause, **values, opened_at=at, resolved_at="")


def _update(connection: Connection, pipeline: str, cause: str, **values: str) -> bool:
    same = sa.and_(alerts.c.pipeline == pipeline, alerts.c.cause == cause)
    return connection.execute(alerts.update().where(same).values(**values)).rowcount > 0
