"""What a stream's declaration is refused for, and which views can be computed from one event."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from tests.support import toy, toy_sql, toy_stream

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import load_pipeline
from airloop.data import inbox
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.features.sections import Section
from airloop.settings import Settings
from airloop.sources.brokers.broker import Broker, DeadLetter, Depth, Event
from airloop.sources.streams import per_event
from airloop.sources.streams.declared import local_url, open_broker, stream_of
from airloop.stores import landed_files

REPOSITORY = Path(__file__).resolve().parents[3]
URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_stream.write_project(tmp_path / "project", REPOSITORY, URL)


def test_a_declared_stream_is_checked_without_its_broker(settings: Settings) -> None:
    assert check_pipeline("toy", settings)
    found = toy_stream.stream(settings)
    assert (found.name, found.is_local, found.keep_hours) == ("toy.heat", False, None)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("online: [machine_heat]", "onlin: [machine_heat]", "onlin: unknown key; did you mean 'online'"),
        ("late: is_late, ", "", "online needs `entity`"),
        ("entity: [machine], late: is_late", "entity: [machin], late: is_late", "did you mean 'machine'"),
        ("late: is_late", "late: celsius", "has to be one of columns, of type boolean"),
        ("known_at: arrived_at, ", "", "a stream's feed needs `known_at`"),
        ("key: [machine, measured_at],\n     event_time: measured_at, known", "key: [machine, arrived_at],\n"
         "     event_time: measured_at, known", "'arrived_at' is filled when an event arrives"),
        ("connection: events,", "connection: events, watermark: arrived_at,", "a stream is not fetched by windows"),
        ("connection: events,", "connection: events, query: SELECT 1,", "query belongs to kind sql"),
        ("online: [machine_heat]", "broker: radis, online: [machine_heat]", "did you mean 'redis'"),
        ("calendar: daily", "calendar: hourly", 'write files: "{day}T{hour}.csv"'),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_refused_with_the_way_out(settings: Settings, old: str, new: str, says: str) -> None:
    toy_sql.declare(settings, old, new)
    with pytest.raises(ConfigError, match=re.escape(says)):
        load_pipeline("toy", settings)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT machine, celsius, known_at FROM heat WHERE NOT is_late", ""),
        ("SELECT machine, round(abs(celsius), 1) AS c, year(measured_at) AS y FROM heat AS h WHERE h.celsius > 0", ""),
        ("SELECT machine, CASE WHEN celsius > 3 THEN getvariable('lead_minutes') END AS c FROM heat", ""),
        ("SELECT machine, max(celsius) AS c FROM heat GROUP BY machine", "GROUP BY"),
        ("SELECT max(celsius) AS c FROM heat", "max is an aggregate"),
        ("SELECT machine, geomean(celsius) AS c FROM heat", "geomean is an aggregate"),
        ("SELECT machine, celsius FROM heat GROUP BY ALL", "groups or samples"),
        ("SELECT machine, lag(celsius) OVER (ORDER BY measured_at) AS c FROM heat", "looks at other rows"),
        ("SELECT machine, celsius FROM heat QUALIFY row_number() OVER () = 1", "QUALIFY"),
        ("SELECT machine, celsius FROM heat JOIN machines USING (machine)", "reads something else than heat"),
        ("SELECT machine, celsius FROM jobs", "reads something else than heat"),
        ("SELECT machine, (SELECT 1) AS c FROM heat", "has a query within"),
        ("SELECT machine, unnest([1, 2]) AS c FROM heat", "makes several rows of one"),
        ("SELECT machine, getvariable('window_start') AS c FROM heat", "is another one in each window"),
        ("SELECT machine, getvariable('lead' || '_minutes') AS c FROM heat", "is another one in each window"),
        ("SELECT DISTINCT machine FROM heat", "ORDER BY, DISTINCT or LIMIT"),
        ("SELECT machine FROM heat UNION ALL SELECT machine FROM heat", "puts several queries together"),
        ("WITH h AS (SELECT * FROM heat) SELECT machine FROM h", "reads something else"),
        ("SELECT machine FROM heat TABLESAMPLE 10%", "groups or samples"),
    ],
)
def test_a_view_goes_online_with_each_event_only_when_it_reads_that_event_alone(sql: str, says: str) -> None:
    why = per_event.why_not(Section("view", "machine_heat", sql), "heat")
    assert (says in why) if says else why == ""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (" WHERE NOT is_late", "", "add WHERE NOT is_late"),
        ("celsius * 1.5 AS celsius", "avg(celsius) OVER () AS celsius", "looks at other rows"),
    ],
)
def test_pipelines_check_refuses_an_online_view_that_is_not_of_one_event(
    settings: Settings, old: str, new: str, says: str
) -> None:
    toy_stream.edit(settings, "features.sql", old, new)
    with pytest.raises(ConfigError, match=says) as error:
        check_pipeline("toy", settings)
    assert "toy/features.sql:" in str(error.value)


def test_an_unknown_online_view_names_the_nearest(settings: Settings) -> None:
    toy_sql.declare(settings, "online: [machine_heat]", "online: [machine_heats]")
    with pytest.raises(ConfigError, match="no view 'machine_heats'; did you mean 'machine_heat'"):
        check_pipeline("toy", settings)


def test_who_asks_for_another_feed_or_an_unknown_connection_is_told(settings: Settings) -> None:
    pipeline = toy.toy_pipeline(settings)
    with pytest.raises(ConfigError, match="has no stream 'heats'; did you mean 'heat'"):
        stream_of(pipeline, "heats")
    with pytest.raises(ConfigError, match="no connection 'events' is known here"):
        open_broker(stream_of(pipeline, "heat"), settings.model_copy(update={"connections": {}}))
    with pytest.raises(UpstreamUnavailable, match="`airloop up` starts one"):
        local_url(settings)


def test_a_period_of_a_stream_is_over_when_a_file_of_a_later_one_has_landed(settings: Settings) -> None:
    pipeline = toy.toy_pipeline(settings)
    folder = Path(settings.landing_uri) / "toy" / "heat"
    folder.mkdir(parents=True)
    (folder / "2020-01-02.stream.1-0.2-0.csv").write_text("machine,measured_at,celsius,arrived_at,is_late\n")
    files = landed_files.list_files(pipeline, settings)
    assert inbox.data_time(pipeline, files) == toy.days(1, 2).start
    (folder / "2020-01-03.stream.0-0.0-0.csv").write_text("machine,measured_at,celsius,arrived_at,is_late\n")
    assert inbox.data_time(pipeline, landed_files.list_files(pipeline, settings)) == toy.days(2, 3).start


class Shelf(Broker):
    """A broker of a project's own: a list in memory."""

    events: ClassVar[list[bytes]] = []
    done: ClassVar[set[str]] = set()
    dead: ClassVar[list[DeadLetter]] = []
    given = 0

    def hold(self, seconds: float) -> bool:
        return seconds > 0

    def take(self, most: int, wait_seconds: float) -> Sequence[Event]:
        start = datetime.now(UTC) - timedelta(seconds=1)
        taken = self.events[self.given : self.given + most]
        first, self.given = self.given, self.given + len(taken)
        return [
            Event(str(at), (0, at), payload, start + timedelta(microseconds=at))
            for at, payload in enumerate(taken, first)
        ]

    def acknowledge(self, events: Sequence[Event]) -> None:
        self.done.update(event.id for event in events)

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        self.dead.extend(letters)

    def dead_letters(self, most: int) -> Sequence[DeadLetter]:
        return self.dead[-most:]

    def drop_dead_letters(self, until: str | None) -> int:
        return 0

    def forget(self, before: datetime) -> None:
        """Nothing is kept."""

    def send(self, payloads: Sequence[bytes]) -> None:
        self.events.extend(payloads)

    def depth(self) -> Depth:
        return Depth(len(self.events) - self.given, self.given - len(self.done), len(self.dead))

    def close(self) -> None:
        """Nothing is open."""


def test_a_broker_of_a_projects_own_is_consumed_like_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(toy_stream)("toys_shelf")
    module.Shelf = Shelf  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "toys_shelf", module)
    options = '{broker: "toys_shelf:Shelf", entity: [machine], late: is_late}'
    toy_sql.declare(settings, toy_stream.OPTIONS, options)
    toy_stream.send(settings, [toy_stream.event("m1", 20.0), b"no JSON"])
    done = toy_stream.consume(settings)
    assert (done.counts.landed, done.counts.dead, Shelf.done) == (1, 1, {"0", "1"})
    assert [line.split(",")[2] for line in toy_stream.landed_lines(settings)] == ["20.0"]
