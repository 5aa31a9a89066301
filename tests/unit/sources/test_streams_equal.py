"""What went online with an event is what the window's build writes for the same key and instant."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support import redis_server, toy, toy_sql, toy_stream
from tests.support.redis_server import Server

from airloop.data import quarantine
from airloop.feast_stores.online_file import OnlineFile, entity_key
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server.running(tmp_path_factory.mktemp("redis")) as running:
        yield running


def write_day(settings: Settings, day: datetime) -> None:
    """The other feeds' files of the day on which the events happen."""
    root, text = Path(settings.landing_uri) / "toy", toy.text(day)
    files = {
        "machines/machines.csv": "machine,built\nm1,2000\n",
        f"jobs/{day:%Y-%m-%d}.csv": f"job,machine,planned_at,starts_at,size\nj{day.day},m1,{text},{text},5\n",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


@pytest.mark.integration
def test_online_and_offline_values_of_a_key_and_instant_are_equal_and_materializing_turns_nothing_back(
    tmp_path: Path, server: Server
) -> None:
    settings = toy_stream.write_project(tmp_path / "project", REPOSITORY, server.url)
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    window = Window(day - timedelta(days=1), day + timedelta(days=1))
    for one in (day - timedelta(days=1), day):
        write_day(settings, one)
    online, seen = OnlineFile(Path(settings.online_store["path"]), "toy"), {}
    for number, (celsius, ago) in enumerate([(20.1, 9), (33.3, 6), (12.7, 5000), (900.0, 4), (41.9, 3)]):
        # A second apart in arrival would take a second each: only the value counts here, not the instant.
        toy_stream.send(settings, [toy_stream.event("m1", celsius, ago=ago)])
        toy_stream.consume(settings)
        seen[number] = online.read("machine_heat", entity_key({"machine": "STRING"}, ["m1"]))[1]["celsius"]
    assert seen == {0: 20.1 * 1.5, 1: 33.3 * 1.5, 2: 33.3 * 1.5, 3: 33.3 * 1.5, 4: 41.9 * 1.5}
    toy_sql.declare(settings, "max_bad_share: 0.05", "max_bad_share: 0.5")
    pipeline = toy.toy_pipeline(settings)
    toy.run_data(settings, window)
    rows = lake.read(lake.table_uri(settings, "toy", "features", "machine_heat"), settings).to_pylist()
    offline = [row["celsius"] for row in sorted(rows, key=lambda row: row["known_at"])]
    assert offline == list(dict.fromkeys(seen.values()))
    assert [row.values["celsius"] for row in quarantine.list_rows(pipeline, settings)] == ["900.0"]
    toy_stream.send(settings, [toy_stream.event("m1", 55.0, ago=1)])
    toy_stream.consume(settings, land=False)
    toy.run("materialize", settings, window)  # of the lake, which does not hold the newest event yet
    assert online.read("machine_heat", entity_key({"machine": "STRING"}, ["m1"]))[1]["celsius"] == 82.5
