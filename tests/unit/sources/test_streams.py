"""Events of a stream: on a real Redis server, into files and online, once, whatever is sent twice, late or killed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support import redis_server, toy_stream
from tests.support.redis_server import Server
from tests.support.waiting import until

from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.feast_stores.online_file import OnlineFile, entity_key
from airloop.settings import Settings
from airloop.sources.brokers.broker import Event
from airloop.sources.brokers.redis import FIELD
from airloop.sources.streams.declared import open_broker
from airloop.sources.streams.reading import read

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server.running(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, server: Server) -> Settings:
    with server.client() as client:
        client.flushall()
    return toy_stream.write_project(tmp_path / "project", REPOSITORY, server.url)


def online(settings: Settings, machine: str) -> float | None:
    file = OnlineFile(Path(settings.online_store["path"]), "toy")
    return file.read("machine_heat", entity_key({"machine": "STRING"}, [machine]))[1].get("celsius")


def dead(settings: Settings) -> list[str]:
    broker = open_broker(toy_stream.stream(settings), settings)
    try:
        return [letter.reason for letter in broker.dead_letters(100)]
    finally:
        broker.close()


def test_an_event_is_online_at_once_by_the_views_own_query_and_lands_once_it_is_due(settings: Settings) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", 20.0), toy_stream.event("m2", 30.0)])
    consumer = toy_stream.consumer(settings)
    assert consumer.step() == 2
    assert (online(settings, "m1"), online(settings, "m2")) == (30.0, 45.0)
    assert toy_stream.landed_lines(settings) == []
    assert len(consumer.land()) >= 1
    assert [line.split(",")[0] for line in toy_stream.landed_lines(settings)] == ['"m1"', '"m2"']
    assert consumer.broker.depth().pending == 0
    consumer.close()


def test_what_was_taken_and_not_landed_is_given_to_the_next_consumer_and_lands_once(settings: Settings) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", float(n), ago=60 - n) for n in range(5)])
    toy_stream.consume(settings, land=False)
    toy_stream.send(settings, [toy_stream.event("m1", 50.0, ago=1)])
    done = toy_stream.consume(settings)
    assert (done.counts.taken, done.counts.duplicates, done.counts.landed) == (6, 0, 6)
    assert len(toy_stream.landed_lines(settings)) == 6
    assert online(settings, "m1") == 75.0


def test_events_that_landed_before_a_kill_and_were_not_acknowledged_do_not_land_again(settings: Settings) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", 20.0)])
    consumer = toy_stream.consumer(settings)
    consumer.step()
    assert consumer._landing is not None
    consumer._landing.land(consumer.held)  # killed here: neither acknowledged nor forgotten
    consumer.close()
    before = toy_stream.landed_lines(settings)
    again = toy_stream.consume(settings)
    assert again.counts.taken == 1
    assert toy_stream.landed_lines(settings) == before
    assert again.broker.address.stream == toy_stream.NAME


def test_the_same_event_sent_again_changes_nothing_and_a_correction_does(settings: Settings) -> None:
    first = toy_stream.event("m1", 20.0, ago=10)
    toy_stream.send(settings, [first, first])
    toy_stream.consume(settings)
    lines = toy_stream.landed_lines(settings)
    toy_stream.send(settings, [first])
    assert toy_stream.consume(settings).counts.duplicates == 1
    assert toy_stream.landed_lines(settings) == lines
    corrected = json.loads(first) | {"celsius": 21.0}
    toy_stream.send(settings, [json.dumps(corrected).encode()])
    assert toy_stream.consume(settings).counts.duplicates == 0
    assert len(toy_stream.landed_lines(settings)) == len(lines) + 1
    assert online(settings, "m1") == 31.5


def test_a_late_event_lands_and_turns_no_value_back(settings: Settings) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", 40.0, ago=5)])
    toy_stream.consume(settings)
    toy_stream.send(settings, [toy_stream.event("m1", 10.0, ago=500), toy_stream.event("m2", 10.0, ago=500)])
    toy_stream.consume(settings)
    assert (online(settings, "m1"), online(settings, "m2")) == (60.0, 15.0)
    late = [line.rsplit(",", 1)[1] for line in toy_stream.landed_lines(settings) if ",10.0," in line]
    assert sorted(late) == ["false", "true"]


def test_a_row_that_breaks_a_rule_lands_for_the_quarantine_and_does_not_go_online(settings: Settings) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", 20.0, ago=9), toy_stream.event("m1", 900.0)])
    toy_stream.send(settings, [toy_stream.event("m2", None)])
    done = toy_stream.consume(settings)
    assert (done.counts.online, done.counts.landed) == (1, 3)
    assert (online(settings, "m1"), online(settings, "m2")) == (30.0, None)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"no JSON", "is not JSON in UTF-8"),
        (b"[1]", "is a list, not an object"),
        (b'{"machine": "m", "machine": "n"}', "names 'machine' twice"),
        (toy_stream.event("m1", 1.0, celcius=2), "has 'celcius', which the feed lacks; did you mean 'celsius'"),
        (b'{"machine": "m1", "celsius": 1.0}', "lacks column 'measured_at': send null"),
        (toy_stream.event("", 1.0), "column 'machine' is part of the key"),
        (toy_stream.event("m1", 1.0, arrived_at="2020-01-01T00:00:00Z"), "brings 'arrived_at', which airloop fills"),
        (toy_stream.event("m1", 1.0, is_late=False), "brings 'is_late', which airloop fills"),
        (toy_stream.event("m1", "hot"), "column 'celsius'"),  # type: ignore[arg-type]
        (b'{"machine": "m1", "celsius": NaN, "measured_at": "2020-01-01T00:00:00Z"}', "not finite"),
        (b'{"machine": "m1", "celsius": 1.0, "measured_at": "2020-01-01T00:00:00"}', "no offset"),
        (b'{"machine": "m1", "celsius": 1.0, "measured_at": "2019-01-01T00:00:00Z"}', "outside of the pipeline's"),
        (toy_stream.event("m1", 1.0, ago=-3600), "is the producer's clock right"),
        (b'{"machine": "' + b"m" * 300_000 + b'"}', "more than 262144"),
        (b"[" * 100_000, "is not JSON in UTF-8"),
    ],
    # An event holds the time of its making, and workers must collect the same tests.
    ids=lambda value: value if isinstance(value, str) else "event",
)
def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path: Path, payload: bytes, reason: str) -> None:
    stream = toy_stream.stream(toy_stream.write_project(tmp_path / "project", REPOSITORY, "redis://127.0.0.1:1/0"))
    with pytest.raises(DataContractError) as error:
        read(Event("1-0", (1, 0), payload, datetime.now(UTC)), stream)
    assert reason in str(error.value)
    assert len(str(error.value)) < 400


def test_what_cannot_be_read_is_a_dead_letter_once_and_others_go_on(settings: Settings) -> None:
    toy_stream.send(settings, [b"no JSON", toy_stream.event("m9", 1.0)])
    done = toy_stream.consume(settings)
    assert (done.counts.dead, done.counts.landed) == (1, 1)
    (said,) = dead(settings)
    assert "is not JSON in UTF-8" in said
    assert toy_stream.consume(settings).counts.dead == 0


def test_an_entry_without_the_field_is_a_dead_letter_and_dead_letters_are_dropped_when_asked(
    settings: Settings, server: Server
) -> None:
    with server.client() as client:
        client.xadd(toy_stream.NAME, {"other": "1"})
        client.xadd(toy_stream.NAME, {"other": "2"})
    toy_stream.consume(settings)
    assert all("has no field `event`" in reason for reason in dead(settings))
    broker = open_broker(toy_stream.stream(settings), settings)
    first = broker.dead_letters(10)[0].event.id
    assert (broker.depth().dead, broker.drop_dead_letters(first), broker.drop_dead_letters(None)) == (2, 1, 1)
    broker.close()


def test_only_one_consumes_a_stream_and_another_takes_over_once_it_is_gone(settings: Settings) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", 1.0)])
    first, second = toy_stream.consumer(settings), toy_stream.consumer(settings)
    assert first.step() == 1
    assert (second.step(), second.holds) == (0, False)
    first.close()
    assert second.step() == 1
    second.close()


def test_a_consumer_that_lost_its_stream_forgets_what_it_held_and_begins_anew(
    settings: Settings, server: Server
) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", 1.0)])
    consumer = toy_stream.consumer(settings)
    consumer.step()
    with server.client() as client:
        client.delete(f"{toy_stream.NAME}.airloop.consumer")  # as when it was away for longer than it holds
    assert (consumer.step(), consumer.held, consumer.holds) == (0, [], False)
    assert consumer.step() == 1
    assert len(consumer.held) == 1
    consumer.close()


def test_landed_events_are_removed_in_time_and_others_stay(settings: Settings, server: Server) -> None:
    toy_stream.send(settings, [toy_stream.event("m1", float(n), ago=99 - n) for n in range(300)])
    consumer = toy_stream.consumer(settings)
    consumer.step()
    with server.client() as client:
        consumer.broker.forget(datetime.now(UTC) + timedelta(hours=1))
        assert client.xlen(toy_stream.NAME) == 300
        consumer.land()
        consumer.broker.forget(datetime.now(UTC) + timedelta(hours=1))
        assert client.xlen(toy_stream.NAME) < 300
    consumer.close()


def test_of_events_of_one_millisecond_those_before_the_newest_are_removed_too(
    settings: Settings, server: Server
) -> None:
    with server.client() as client:
        for number in range(300):
            fields = {FIELD: toy_stream.event("m1", float(number), ago=99)}
            client.xadd(toy_stream.NAME, fields, id=f"1577836800000-{number}")
        consumer = toy_stream.consumer(settings)
        consumer.step()
        consumer.land()
        consumer.broker.forget(datetime.now(UTC))
        assert 0 < client.xlen(toy_stream.NAME) < 300
    consumer.close()


def test_a_period_without_an_event_gets_a_file_without_rows(settings: Settings) -> None:
    days_ago = datetime.now(UTC) - timedelta(days=3)
    folder = Path(settings.landing_uri) / "toy" / "heat"
    folder.mkdir(parents=True)
    (folder / f"{days_ago:%Y-%m-%d}.csv").write_text("machine,measured_at,celsius,arrived_at,is_late\n")
    toy_stream.send(settings, [toy_stream.event("m1", 1.0)])
    toy_stream.consume(settings)
    quiet = sorted(path.name for path in folder.glob("*.stream.0-0.0-0.csv"))
    expected = [f"{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}.stream.0-0.0-0.csv" for back in (2, 1)]
    assert quiet == expected
    toy_stream.consume(settings)
    assert sorted(path.name for path in folder.glob("*.stream.0-0.0-0.csv")) == expected


def test_a_server_that_is_gone_is_told_in_one_line_without_its_password(settings: Settings) -> None:
    gone = settings.model_copy(update={"connections": {"events": "redis://:secret-word@127.0.0.1:1/0"}})
    consumer = toy_stream.consumer(gone)
    with pytest.raises(UpstreamUnavailable, match=r"stream toy\.heat: Redis does not answer") as error:
        consumer.step()
    assert "secret-word" not in str(error.value)
    consumer.close()


KILLED = """
import sys
from tests.support import toy_stream
from airloop.settings import load_settings
settings = load_settings(project_dir=sys.argv[1], home=sys.argv[2], connections={"events": sys.argv[3]})
consumer = toy_stream.consumer(settings)
print("ready", flush=True)
while True:
    consumer.step(0.01)
    if len(consumer.held) > 40:
        consumer.land()
"""


@pytest.mark.integration
def test_killed_anywhere_and_begun_again_loses_nothing_and_doubles_nothing(settings: Settings, server: Server) -> None:
    # A file: pyspark's client takes a `python -c` that imports it (by way of Great Expectations) for a run of doctests.
    program = settings.project_dir / "consume.py"
    program.write_text(KILLED)
    arguments = [str(program), str(settings.project_dir), str(settings.home), server.url]
    sent = 0
    for round_number in range(2):
        with subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, cwd=REPOSITORY, env=_environment()
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            with server.client() as client:
                client.delete(f"{toy_stream.NAME}.airloop.consumer")  # the one killed before held it for 10 s
            for _ in range(20):
                batch = [toy_stream.event(f"m{n % 5}", float(n % 100), ago=5000 - n) for n in range(sent, sent + 10)]
                toy_stream.send(settings, batch)
                sent += 10
            enough = 40 * round_number
            assert until(lambda: len(toy_stream.landed_lines(settings)) > enough, seconds=60)  # noqa: B023 asked at once
            process.kill()
    with server.client() as client:
        client.delete(f"{toy_stream.NAME}.airloop.consumer")
    toy_stream.consume(settings)
    keys = [line.split(",")[0] + line.split(",")[1] for line in toy_stream.landed_lines(settings)]
    assert sorted(keys) == sorted(set(keys))
    assert len(keys) == sent
    assert online(settings, "m4") == 1.5 * ((sent - 1) % 100)


def _environment() -> dict[str, str]:
    import os

    paths = [str(REPOSITORY), str(REPOSITORY / "include")]
    return {**os.environ, "PYTHONPATH": ":".join(paths), "TZ": "UTC"}
