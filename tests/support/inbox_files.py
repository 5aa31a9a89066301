"""Files of flight_delays in the landing folder, and records of runs over them: what the tests of the inbox share."""

from datetime import UTC, date, datetime, timedelta

from airloop.config import Pipeline
from airloop.records import BuiltFeatures, Ingested, SetAside, TableVersion, Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import landed_files, state


def land(settings: Settings, feed: str, *days: date, text: str = "x") -> None:
    folder = settings.home / "landing" / "flight_delays" / feed
    folder.mkdir(parents=True, exist_ok=True)
    for day in days:
        (folder / f"{day}.csv").write_text(text)


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def month(number: int) -> Window:
    return Window(datetime(2013, number, 1, tzinfo=UTC), datetime(2013, number + 1, 1, tzinfo=UTC))


def day(day: date) -> Window:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Window(start, start + timedelta(days=1))


def ingest(settings: Settings, pipeline: Pipeline, window: Window, *, aside: str = "nothing") -> None:
    files = landed_files.window_files(pipeline, window, settings)
    read = tuple(file for file in files if not file.uri.endswith(aside))
    set_aside = tuple(SetAside(file.feed, file.uri, file.sha256, "") for file in files if file not in read)
    number = len(state.latest_records(settings, pipeline.name, "ingest"))
    table = TableVersion("departures", "", version=number, rows=1, digest="")
    record = Ingested(window=window, files=read, tables=(table,), missing=(), set_aside=set_aside).to_json()
    state.save_record(settings, pipeline.name, "ingest", input_key=digest(record), window=window, record=record)


def build(settings: Settings, window: Window, *, version: int) -> None:
    record = BuiltFeatures(window, (TableVersion("view", "", version=version, rows=1, digest=""),)).to_json()
    state.save_record(
        settings, "flight_delays", "build_features", input_key=digest(record), window=window, record=record
    )


def ingest_toy(settings: Settings, pipeline: Pipeline, window: Window) -> None:
    """A record of the files that the window has now, and of a table that has grown."""
    table = TableVersion("heat", "", version=len(state.latest_records(settings, "toy", "ingest")), rows=1, digest="")
    files = landed_files.window_files(pipeline, window, settings)
    record = Ingested(window=window, files=files, tables=(table,), missing=()).to_json()
    state.save_record(settings, "toy", "ingest", input_key=digest(record), window=window, record=record)
