"""Who is told: at most once a cause and day, once more when it is over; nobody is kept from it by another receiver."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from tests.support import toy

from airloop.config import Pipeline
from airloop.config.alerts import AlertRoute
from airloop.records import Alert
from airloop.settings import Settings
from airloop.stores import alerts
from airloop.stores.alerts import StoredAlert
from airloop.watch.alerts import run_failed, tell

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILED = run_failed("toy__data", "run 1", why="ingest: no file", link="dags/toy__data/runs/1")
NEWS = Alert("promoted", "done:7", "info", "version 2 is champion", "", "", "", "Nothing.", ends=False)


class KilledError(BaseException):
    """Stands for a process that ends while it sends."""


class Receiver:
    """Keeps what it is sent."""

    kills = False

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.broken: set[str] = set()

    def __call__(self, route: AlertRoute, stored: StoredAlert, resolved: bool) -> None:
        if self.kills:
            raise KilledError
        if route.to in self.broken:
            raise OSError("nobody answers")
        self.said.append((route.to, stored.alert.cause, "resolved" if resolved else "opened"))

    def take(self) -> list[tuple[str, str, str]]:
        said, self.said = self.said, []
        return said


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def pipeline(settings: Settings, *routes: dict[str, object]) -> Pipeline:
    told = tuple(AlertRoute.model_validate(route) for route in routes or ({"to": "log"},))
    return toy.toy_pipeline(settings).model_copy(update={"alerts": told})


def look(settings: Settings, receiver: Receiver, *found: Alert, hours: int = 0, routes=(), over=False):
    tell(
        pipeline(settings, *routes),
        settings,
        now=NOON + timedelta(hours=hours),
        send=receiver,
        noticed=found,
        over=lambda _alert: over,
    )
    return receiver.take()


OPENED, RESOLVED = ("log", FAILED.cause, "opened"), ("log", FAILED.cause, "resolved")


def test_nothing_is_said_where_nothing_is_wrong(toy_settings, receiver) -> None:
    assert [look(toy_settings, receiver, hours=hours) for hours in (0, 1, 25)] == [[], [], []]


def test_a_cause_is_told_once_a_day_and_once_when_it_is_over(toy_settings, receiver) -> None:
    assert look(toy_settings, receiver, FAILED) == [OPENED]
    assert look(toy_settings, receiver, FAILED, hours=1) == []
    assert look(toy_settings, receiver, FAILED, hours=11) == []
    assert look(toy_settings, receiver, FAILED, hours=24) == [OPENED]
    assert look(toy_settings, receiver, over=True, hours=25) == [RESOLVED]
    assert [look(toy_settings, receiver, over=True, hours=hours) for hours in (26, 40, 60)] == [[], [], []]


def test_a_cause_that_comes_and_goes_within_a_day_is_told_once(toy_settings, receiver) -> None:
    look(toy_settings, receiver, FAILED)
    look(toy_settings, receiver, over=True, hours=1)
    assert look(toy_settings, receiver, FAILED, hours=2) == []
    assert look(toy_settings, receiver, over=True, hours=3) == []
    assert look(toy_settings, receiver, FAILED, hours=24) == [OPENED]


def test_what_is_not_over_stays_open_until_its_own_dag_succeeds(toy_settings, receiver) -> None:
    look(toy_settings, receiver, FAILED)
    assert look(toy_settings, receiver, hours=1) == []
    assert [stored.alert.cause for stored in alerts.open_alerts(toy_settings, "toy")] == [FAILED.cause]


def test_news_is_told_once_for_ever(toy_settings, receiver) -> None:
    routes = [{"to": "log", "severity": "info"}]
    assert look(toy_settings, receiver, NEWS, routes=routes) == [("log", "done:7", "opened")]
    assert [look(toy_settings, receiver, NEWS, routes=routes, hours=hours) for hours in (1, 25, 47)] == [[], [], []]
    assert alerts.open_alerts(toy_settings, "toy") == ()


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ({"to": "log"}, [FAILED.cause]),
        ({"to": "log", "severity": "critical"}, [FAILED.cause]),
        ({"to": "log", "severity": "info"}, [FAILED.cause, NEWS.cause]),
        ({"to": "log", "severity": "info", "kinds": ["promoted"]}, [NEWS.cause]),
        ({"to": "log", "severity": "critical", "kinds": ["promoted"]}, []),
    ],
)
def test_a_route_gets_its_severity_and_kinds(toy_settings, receiver, route, told) -> None:
    said = look(toy_settings, receiver, FAILED, NEWS, routes=[route])
    assert sorted(cause for _, cause, _ in said) == sorted(told)


def test_a_receiver_that_does_not_answer_keeps_nothing_from_another_and_is_told_later(toy_settings, receiver) -> None:
    routes = [{"to": "slack"}, {"to": "log"}]
    receiver.broken = {"slack"}
    assert look(toy_settings, receiver, FAILED, routes=routes) == [OPENED]
    receiver.broken = set()
    assert look(toy_settings, receiver, FAILED, routes=routes, hours=1) == [("slack", FAILED.cause, "opened")]
    assert look(toy_settings, receiver, FAILED, routes=routes, hours=2) == []


def test_a_message_whose_sender_was_killed_is_sent_by_a_later_look_and_not_beside_it(toy_settings, receiver) -> None:
    receiver.kills = True
    with pytest.raises(KilledError):
        look(toy_settings, receiver, FAILED)
    receiver.kills = False
    assert look(toy_settings, receiver, FAILED, hours=0) == []
    assert look(toy_settings, receiver, FAILED, hours=1) == [OPENED]
    assert [look(toy_settings, receiver, FAILED, hours=hours) for hours in (2, 11)] == [[], []]


def test_who_was_never_told_of_a_cause_is_not_told_that_it_is_over(toy_settings, receiver) -> None:
    receiver.broken = {"log"}
    look(toy_settings, receiver, FAILED)
    receiver.broken = set()
    assert look(toy_settings, receiver, over=True, hours=1) == []


def test_of_many_who_look_at_once_one_tells(toy_settings, receiver) -> None:
    look(toy_settings, receiver)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: tell_of(toy_settings, receiver), range(16)))
    assert receiver.take() == [OPENED]


def tell_of(settings: Settings, receiver: Receiver) -> None:
    tell(pipeline(settings), settings, now=NOON, send=receiver, noticed=[FAILED])
