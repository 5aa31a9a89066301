"""A landed file is read whole and as declared, or refused with file, column and value."""

import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import toy
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import example, given
from hypothesis import strategies as st

from airloop.config import Feed, Pipeline
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.landing import checksum, file_span, list_files, read_file, window_files
from airloop.records import LandedFile, Window
from airloop.settings import Settings, load_settings

COLUMNS = {"id": "string", "at": "timestamp", "size": "integer", "heat": "float", "ok": "boolean"}
FEED = Feed(files="{day}.csv", key=("id",), event_time="at", columns=COLUMNS)
NEW_YORK = FEED.model_copy(update={"day_timezone": "America/New_York"})
PREFIXED = FEED.model_copy(update={"files": "jobs-{day}.csv"})
HEADER = "id,at,size,heat,ok"
GOOD = "a,2020-01-01T00:00:00Z,1,0.5,true"
FILE = "2020-01-01.csv"


def _read(folder: Path, content: str | bytes, *, feed: Feed = FEED, name: str = FILE) -> pl.DataFrame:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = load_settings(home=folder)
    return read_file(_landed(path, settings), feed, settings)


def _landed(path: Path, settings: Settings) -> LandedFile:
    return LandedFile("jobs", f"file://{path}", hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def _refusal(folder: Path, content: str | bytes, **options: object) -> str:
    with pytest.raises(DataContractError) as refused:
        _read(folder, content, **options)
    assert FILE in str(refused.value)
    return str(refused.value)


def _touch(settings: Settings, *names: str, feed: str = "jobs") -> None:
    folder = Path(settings.landing_uri) / "toy" / feed
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(name)


def _names(pipeline: Pipeline, settings: Settings, window: Window) -> list[str]:
    return [file.uri.rsplit("/", 1)[-1] for file in window_files(pipeline, window, settings)]


def test_values_take_their_declared_types(tmp_path: Path) -> None:
    frame = _read(tmp_path, f"{HEADER}\n{GOOD}\nb,2020-01-01T05:30:00.25+05:00, 2 ,1e3,FALSE\n")
    assert frame.schema == {
        "id": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "size": pl.Int64,
        "heat": pl.Float64,
        "ok": pl.Boolean,
    }
    assert frame.row(1) == ("b", datetime(2020, 1, 1, 0, 30, 0, 250000, UTC), 2, 1000.0, False)


def test_an_empty_field_is_null_and_a_quoted_empty_text_is_a_text(tmp_path: Path) -> None:
    frame = _read(tmp_path, f'{HEADER}\n"",2020-01-01T00:00:00Z,,,\n')
    assert frame.row(0) == ("", datetime(2020, 1, 1, tzinfo=UTC), None, None, None)


def test_quoted_fields_may_hold_commas_and_line_breaks(tmp_path: Path) -> None:
    assert _read(tmp_path, f'{HEADER}\n"a, ""b""\nc",2020-01-01T00:00:00Z,1,1,true\n')["id"].to_list() == ['a, "b"\nc']


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{HEADER}\r\n{GOOD}\r\n", id="line ends of Windows"),
        pytest.param(b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}\n".encode(), id="byte order mark"),
        pytest.param("ok,heat,size,at,id\ntrue,0.5,1,2020-01-01T00:00:00Z,a\n", id="columns in another order"),
    ],
)
def test_what_spreadsheets_do_to_a_file_does_not_matter(tmp_path: Path, content: str | bytes) -> None:
    assert _read(tmp_path, content).rows() == [("a", datetime(2020, 1, 1, tzinfo=UTC), 1, 0.5, True)]


def test_a_file_without_rows_is_read_as_no_rows(tmp_path: Path) -> None:
    assert _read(tmp_path, f"{HEADER}\n").height == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "Empty CSV", id="empty"),
        pytest.param(f"{HEADER}\n{GOOD}\n".encode("utf-16"), "CSV in UTF-8", id="UTF-16"),
        pytest.param(f"{HEADER}\nü{GOOD}\n".encode("latin-1"), "CSV in UTF-8", id="Latin-1"),
        pytest.param(f"{HEADER},ü\n".encode("latin-1"), "CSV in UTF-8", id="Latin-1 in the header"),
        pytest.param(gzip.compress(f"{HEADER}\n{GOOD}\n".encode()) + b"\n", "differ|CSV in UTF-8", id="compressed"),
        pytest.param(f"{HEADER}\n{GOOD}", "the last line does not end", id="no line end"),
        pytest.param(f"{HEADER}\nb,2020-01-01T00:00:00Z\n{GOOD}\n", "got 2", id="short line"),
        pytest.param(f"{HEADER}\n{GOOD},more\n", "got 6", id="long line"),
        pytest.param(f'{HEADER}\n"{GOOD}\n{GOOD}\n', "CSV in UTF-8", id="open quote"),
        pytest.param("<html>busy</html>\n", "missing .*'at'.* not declared .*html", id="an error page"),
    ],
)
def test_a_file_that_is_no_whole_csv_is_refused(tmp_path: Path, content: str | bytes, says: str) -> None:
    pytest.raises(DataContractError, _read, tmp_path, content).match(says)
    assert FILE in _refusal(tmp_path, content)


@given(length=st.integers(1, 400))
def test_a_file_cut_anywhere_inside_a_line_is_refused(length: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = "\n".join([HEADER, *(f"{number},2020-01-01T00:00:00Z,12,34.5,true" for number in range(12))]) + "\n"
    content = whole[:length]
    folder = tmp_path_factory.getbasetemp()
    if content.endswith("\n"):
        assert _read(folder, content).height == content.count("\n") - 1
    else:
        _refusal(folder, content)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("id,at,size,heat", r"missing \['ok'\], not declared \[\]"),
        ("id,at,size,heat,ok,more", r"missing \[\], not declared \['more'\]"),
        ("id,at,size,celsius,ok", r"missing \['heat'\], not declared \['celsius'\]"),
        ("id,at,size,Heat,ok", r"missing \['heat'\], not declared \['Heat'\]"),
        ("id,at,size,heat,ok,ok", r"twice \['ok'\]"),
        ("id;at;size;heat;ok", r"missing .*'at'.*not declared \['id;at;size;heat;ok'\]"),
    ],
)
def test_another_set_of_columns_is_refused_by_name(tmp_path: Path, header: str, says: str) -> None:
    fields = ",".join("1" for _ in header.split(","))
    pytest.raises(DataContractError, _read, tmp_path, f"{header}\n{fields}\n").match(says)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01T00:00:00"),
        ("at", "2020-01-01"),
        ("at", "01.01.2020"),
        ("at", "1577836800"),
        ("size", "1.0"),
        ("size", "many"),
        ("size", "99999999999999999999"),
        ("heat", "n/a"),
        ("heat", "NaN"),
        ("heat", "inf"),
        ("heat", "1.5C"),
        ("ok", "1"),
        ("ok", "yes"),
    ],
)
def test_one_value_of_another_type_is_refused_with_file_column_and_value(
    tmp_path: Path, column: str, value: str
) -> None:
    row = dict(zip(COLUMNS, GOOD.split(","), strict=True)) | {column: value}
    message = _refusal(tmp_path, "\n".join([HEADER, GOOD, ",".join(row.values()), GOOD]) + "\n")
    assert f"column {column!r}: 1 values" in message
    assert f"first [{value!r}]" in message


def test_many_wrong_values_are_counted_and_three_are_shown(tmp_path: Path) -> None:
    rows = [GOOD.replace(",1,", f",x{number},") for number in range(50)]
    assert "50 values are not Int64, first ['x0', 'x1', 'x2']" in _refusal(tmp_path, "\n".join([HEADER, *rows]) + "\n")


@pytest.mark.parametrize("at", ["2019-12-31T23:59:59Z", "2020-01-02T00:00:00Z", "2020-01-01T23:30:00-01:00"])
def test_an_event_outside_the_day_in_the_file_name_is_refused_because_no_window_would_read_it(
    tmp_path: Path, at: str
) -> None:
    message = _refusal(tmp_path, f"{HEADER}\n{GOOD}\nb,{at},1,1,true\n")
    assert "column 'at': 1 events lie outside the day in the file's name" in message


@pytest.mark.parametrize("at", ["2020-01-01T05:00:00Z", "2020-01-02T04:59:59Z"])
def test_the_day_in_the_file_name_is_a_local_day(tmp_path: Path, at: str) -> None:
    assert _read(tmp_path, f"{HEADER}\nb,{at},1,1,true\n", feed=NEW_YORK).height == 1


def test_a_file_that_changed_since_it_was_listed_is_read_again_later(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{HEADER}\n{GOOD}\n")
    settings = load_settings(home=tmp_path)
    landed = _landed(tmp_path / FILE, settings)
    (tmp_path / FILE).write_text(f"{HEADER}\n")
    with pytest.raises(UpstreamUnavailable, match="changed while it was read"):
        read_file(landed, FEED, settings)


def test_a_file_that_went_away_is_retried(tmp_path: Path) -> None:
    landed = LandedFile("jobs", f"file://{tmp_path}/{FILE}", "0", 0)
    with pytest.raises(UpstreamUnavailable, match=f"{FILE} cannot be read"):
        read_file(landed, FEED, load_settings(home=tmp_path))


@pytest.mark.parametrize(
    ("feed", "name", "start", "hours"),
    [
        (FEED, "2020-01-31.csv", "2020-01-31T00:00:00Z", 24),
        (FEED, "2020-01-31.1.csv", "2020-01-31T00:00:00Z", 24),
        (FEED, "2020-01-31-corrected.csv", "2020-01-31T00:00:00Z", 24),
        (PREFIXED, "jobs-2020-01-31.csv", "2020-01-31T00:00:00Z", 24),
        (NEW_YORK, "2020-01-31.csv", "2020-01-31T05:00:00Z", 24),
        (NEW_YORK, "2020-03-08.csv", "2020-03-08T05:00:00Z", 23),
        (NEW_YORK, "2020-11-01.csv", "2020-11-01T04:00:00Z", 25),
    ],
)
def test_a_name_says_the_local_day_its_events_lie_in(feed: Feed, name: str, start: str, hours: int) -> None:
    first = datetime.fromisoformat(start)
    assert file_span(feed, name) == Window(first, first + timedelta(hours=hours))


@pytest.mark.parametrize(
    "name",
    [
        ".2020-01-31.csv",
        "_2020-01-31.csv",
        "2020-01-31.csv.part",
        "2020-01-31.csv~",
        "2020-01-31.csv.gz",
        "2020-01-31",
        "2020-02-30.csv",
        "2020-01-311.csv",
        "2020-W05-5.csv",
        "20200131.csv",
        "readme.csv",
        "jobs.csv",
        "9999-12-31.csv",
    ],
)
def test_half_written_and_foreign_names_hold_no_day(name: str) -> None:
    assert file_span(FEED, name) is None
    assert file_span(PREFIXED, f"old-{name}") is None


@given(name=st.text(max_size=20) | st.dates().map(lambda day: f"{day}.csv"))
@example(name="0001-01-01.csv")
@example(name="9999-12-31.csv")
def test_no_file_name_breaks_the_listing(name: str) -> None:
    for feed in (FEED, PREFIXED, NEW_YORK):
        assert file_span(feed, name) is None or name.endswith(".csv")


def test_corrections_are_read_after_what_they_correct_in_their_order(toy_settings: Settings) -> None:
    ordered = ["2020-01-01.csv", "2020-01-01.1.csv", "2020-01-01.2.csv", "2020-01-01.10.csv", "2020-01-02.csv"]
    _touch(toy_settings, *sorted(ordered))
    assert _names(toy.toy_pipeline(toy_settings), toy_settings, toy.days(0, 2)) == ordered


def test_a_window_reads_the_local_days_that_overlap_it(toy_settings: Settings) -> None:
    _touch(toy_settings, *(f"2020-01-0{day}.csv" for day in range(1, 6)))
    utc = toy.toy_pipeline(toy_settings)
    zoned = utc.feeds["jobs"].model_copy(update={"day_timezone": "America/New_York"})
    local = utc.model_copy(update={"feeds": {**utc.feeds, "jobs": zoned}})
    assert _names(utc, toy_settings, toy.days(1, 3)) == ["2020-01-02.csv", "2020-01-03.csv"]
    assert _names(local, toy_settings, toy.days(1, 3)) == ["2020-01-01.csv", "2020-01-02.csv", "2020-01-03.csv"]


def test_static_files_belong_to_every_window_and_only_under_their_name(toy_settings: Settings) -> None:
    _touch(toy_settings, "machines.csv", "machines.1.csv", "other.csv", feed="machines")
    pipeline = toy.toy_pipeline(toy_settings)
    assert _names(pipeline, toy_settings, toy.days(0, 1)) == ["machines.csv"]
    assert _names(pipeline, toy_settings, toy.days(40, 41)) == ["machines.csv"]


def test_hidden_half_written_and_foreign_files_are_not_read(toy_settings: Settings) -> None:
    _touch(toy_settings, ".2020-01-01.csv", "2020-01-01.csv.part", "_2020-01-01.csv", "readme.md")
    (Path(toy_settings.landing_uri) / "toy" / "jobs" / "2020-01-01.csv").mkdir()
    assert _names(toy.toy_pipeline(toy_settings), toy_settings, toy.days(0, 1)) == []


def test_an_empty_landing_folder_lists_nothing(toy_settings: Settings) -> None:
    assert list_files(toy.toy_pipeline(toy_settings), toy_settings) == ()


def test_the_stamp_changes_when_a_file_is_replaced(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    _touch(toy_settings, FILE)
    before = list_files(pipeline, toy_settings)
    (Path(toy_settings.landing_uri) / "toy" / "jobs" / FILE).write_text("another length")
    assert [file.uri for file in list_files(pipeline, toy_settings)] == [file.uri for file in before]
    assert list_files(pipeline, toy_settings)[0].stamp != before[0].stamp


def test_a_checksum_is_of_the_bytes(toy_settings: Settings) -> None:
    _touch(toy_settings, FILE)
    (listed,) = list_files(toy.toy_pipeline(toy_settings), toy_settings)
    landed = checksum(listed, toy_settings)
    assert (landed.feed, landed.size_bytes) == ("jobs", len(FILE))
    assert landed.sha256 == hashlib.sha256(FILE.encode()).hexdigest()


def test_a_landing_folder_of_an_unknown_kind_is_the_authors_mistake(toy_settings: Settings) -> None:
    settings = toy_settings.model_copy(update={"landing_uri": "nosuchkind://landing"})
    with pytest.raises(ConfigError, match="AIRLOOP_LANDING_URI nosuchkind://landing"):
        list_files(toy.toy_pipeline(settings), settings)


def test_a_landing_folder_that_does_not_answer_is_retried_and_never_taken_for_an_empty_one(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    monkeypatch.setattr(MemoryFileSystem, "info", refuse)
    settings = toy_settings.model_copy(update={"landing_uri": "memory://landing"})
    with pytest.raises(UpstreamUnavailable, match="memory://landing/toy/jobs cannot be listed: nobody there"):
        list_files(toy.toy_pipeline(settings), settings)
