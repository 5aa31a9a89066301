"""Landing a table by hand: a file per local day, the same again changes nothing, another content is a correction."""

from pathlib import Path

import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem
from tests.support import hourly, toy

from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.settings import Settings
from airloop.sources.land_days import LandedDays, land_table
from airloop.sources.land_dialect import Dialect
from airloop.stores import lake, landed_files

HEADER = "machine,measured_at,celsius"
HEAT = f"""{HEADER},remark
m1,2020-01-01T23:30:00Z,51.5,a
m0,2020-01-01T10:00:00+01:00,50.0,b
m0,2020-01-02T00:00:00Z,49.0,c
"""


def land(settings: Settings, text: str, feed: str = "heat", dialect: Dialect | None = None) -> LandedDays:
    path = settings.home / "table.csv"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return land_table(toy.toy_pipeline(settings), feed, path, dialect or Dialect(), settings)


def landed(settings: Settings, feed: str = "heat") -> dict[str, str]:
    folder = Path(settings.landing_uri) / "toy" / feed
    return {path.name: path.read_text() for path in sorted(folder.iterdir())} if folder.exists() else {}


def test_rows_land_in_the_file_of_their_day_sorted_by_time_and_key(toy_settings: Settings) -> None:
    done = land(toy_settings, HEAT)
    assert landed(toy_settings) == {
        "2020-01-01.csv": f"{HEADER}\nm0,2020-01-01T10:00:00+01:00,50.0\nm1,2020-01-01T23:30:00Z,51.5\n",
        "2020-01-02.csv": f"{HEADER}\nm0,2020-01-02T00:00:00Z,49.0\n",
    }
    assert (done.rows, len(done.new), done.corrections, done.not_declared) == (3, 2, (), ("remark",))


def test_where_files_are_named_by_hours_each_hour_has_its_own(toy_settings: Settings) -> None:
    feed = hourly.declare(toy_settings, files="{day}T{hour}.csv").feeds["heat"]
    assert len(land(toy_settings, HEAT).new) == 3
    assert list(landed(toy_settings)) == ["2020-01-01T09.csv", "2020-01-01T23.csv", "2020-01-02T00.csv"]
    assert all(landed_files.file_span(feed, name) for name in landed(toy_settings))
    again = land(toy_settings, HEAT.replace("51.5", "52.5"))
    assert (again.unchanged, [uri.rpartition("/")[2] for uri in again.corrections]) == (2, ["2020-01-01T23.1.csv"])


def test_what_landed_is_ingested_as_it_was(toy_settings: Settings) -> None:
    land(toy_settings, HEAT)
    toy.run("ingest", toy_settings, toy.days(0, 2))
    rows = pl.DataFrame(lake.read(lake.table_uri(toy_settings, "toy", "raw", "heat"), toy_settings))
    assert sorted(rows["celsius"]) == [49.0, 50.0, 51.5]


def test_the_same_again_changes_nothing_whatever_the_order_of_rows(toy_settings: Settings) -> None:
    land(toy_settings, HEAT)
    before = landed(toy_settings)
    header, *rows = HEAT.splitlines()
    again = land(toy_settings, "\n".join([header, *reversed(rows)]) + "\n")
    assert landed(toy_settings) == before
    assert (again.new, again.corrections, again.unchanged) == ((), (), 2)


def test_a_day_with_other_rows_becomes_a_correction_with_the_next_free_number(toy_settings: Settings) -> None:
    land(toy_settings, HEAT)
    first = land(toy_settings, HEAT.replace("49.0", "48.0"))
    assert [uri.rsplit("/", 1)[-1] for uri in first.corrections] == ["2020-01-02.1.csv"]
    assert (first.new, first.unchanged) == ((), 1)
    second = land(toy_settings, HEAT.replace("49.0", "47.0"))
    assert [uri.rsplit("/", 1)[-1] for uri in second.corrections] == ["2020-01-02.2.csv"]
    assert land(toy_settings, HEAT.replace("49.0", "47.0")).corrections == ()
    back = land(toy_settings, HEAT)
    assert [uri.rsplit("/", 1)[-1] for uri in back.corrections] == ["2020-01-02.3.csv"]
    assert "2020-01-02.csv" in landed(toy_settings)


def test_the_newest_correction_is_what_is_ingested(toy_settings: Settings) -> None:
    for celsius in ("49.0", *(f"{number}.5" for number in range(11))):
        land(toy_settings, HEAT.replace("49.0", celsius))
    toy.run("ingest", toy_settings, toy.days(1, 2))
    rows = pl.DataFrame(lake.read(lake.table_uri(toy_settings, "toy", "raw", "heat"), toy_settings))
    assert rows["celsius"].to_list() == [10.5]


def test_rows_that_no_window_reads_land_and_are_counted(toy_settings: Settings) -> None:
    outside = f"{HEADER}\nm0,2019-12-31T23:59:59Z,1\nm0,2020-03-01T00:00:00Z,2\nm0,2020-03-02T00:00:00Z,3\n"
    done = land(toy_settings, outside)
    assert len(done.new) == 3
    assert [says.partition(":")[0] for says in done.skipped] == [
        "1 of 3 rows lie outside the coverage, before its start, 2020-01-01T00",
        "2 of 3 rows lie outside the coverage, at its end or later, 2020-03-01T00",
    ]
    inside = f"{HEADER}\nm0,2020-01-01T00:00:00Z,1\nm0,2020-02-29T23:59:59Z,2\n"
    assert land(toy_settings, inside).skipped == ()


def test_a_static_feed_is_one_file_that_is_replaced(toy_settings: Settings) -> None:
    assert len(land(toy_settings, "machine,built\nm1,2001\nm0,2000\n", "machines").new) == 1
    assert land(toy_settings, "machine,built\nm0,2000\nm1,2001\n", "machines").unchanged == 1
    land(toy_settings, "machine,built\nm0,1999\n", "machines")
    assert landed(toy_settings, "machines") == {"machines.csv": "machine,built\nm0,1999\n"}


def test_the_local_day_is_the_feeds(toy_settings: Settings, tmp_path: Path) -> None:
    files = 'heat:\n    {files: "{day}.csv",'
    settings = toy.edited(
        toy_settings, tmp_path / "other", "pipeline.yaml", files, f"{files} day_timezone: Asia/Tokyo,"
    )
    land(settings, HEAT)
    assert {name: text.count("\n") - 1 for name, text in landed(settings).items()} == {
        "2020-01-01.csv": 1,
        "2020-01-02.csv": 2,
    }


def test_clock_times_land_with_the_timezone_they_were_read_in(toy_settings: Settings) -> None:
    text = "machine,measured_at,celsius\nm0,2020-01-01 20:00:00,50\n"
    with pytest.raises(DataContractError, match=r"'measured_at': 1 values are not of type timestamp, .* by --timezone"):
        land(toy_settings, text)
    land(toy_settings, text, dialect=Dialect(timezone="America/New_York"))
    assert landed(toy_settings)["2020-01-02.csv"].endswith("m0,2020-01-02T01:00:00Z,50\n")


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("machine,measured_at\nm0,2020-01-01T00:00:00Z\n", ConfigError, "feed heat: .* has no column 'celsius'"),
        (
            HEAT.replace("49.0", "warm"),
            DataContractError,
            "column 'celsius': 1 values are not of type float, first 'warm'",
        ),
        (HEAT.replace("2020-01-02T00:00:00Z", ""), DataContractError, "1 rows have no 'measured_at'"),
    ],
    ids=["column_missing", "wrong_type", "no_time"],
)
def test_a_table_that_would_not_be_read_lands_nowhere(
    toy_settings: Settings, text: str, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        land(toy_settings, text)
    assert landed(toy_settings) == {}


def test_a_feed_that_is_fetched_from_a_database_is_refused(toy_settings: Settings, tmp_path: Path) -> None:
    source = "{source: {connection: shop, query: SELECT 1, watermark: measured_at},"
    settings = toy.edited(
        toy_settings, tmp_path / "other", "pipeline.yaml", 'heat:\n    {files: "{day}.csv",', f"heat:\n    {source}"
    )
    with pytest.raises(ConfigError, match="feed heat is fetched from shop"):
        land(settings, HEAT)


def test_an_unknown_feed_is_refused(toy_settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"toy has no feed 'heet' \(its feeds: jobs, heat, machines, failures\)"):
        land(toy_settings, HEAT, "heet")


def test_a_full_disk_leaves_no_half_file_and_a_rerun_lands_the_rest(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LocalFileSystem.pipe_file

    def write_half(self: LocalFileSystem, path: str, content: bytes, **_: object) -> None:
        if "2020-01-01" in path:
            return whole(self, path, content)
        Path(path).write_bytes(content[:5])
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "pipe_file", write_half)
        with pytest.raises(UpstreamUnavailable, match=r"2020-01-02.csv cannot be written: no space left"):
            land(toy_settings, HEAT)
    assert list(landed(toy_settings)) == ["2020-01-01.csv"]
    done = land(toy_settings, HEAT)
    assert (len(done.new), done.unchanged) == (1, 1)


GAP = f"""{HEADER}
m0,2020-01-01T10:00:00Z,50.0
m0,2020-01-02T10:00:00Z,49.0
m0,2020-01-05T10:00:00Z,48.0
"""


def normal(settings: Settings) -> None:
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("delay_minutes: 1,", "delay_minutes: 1, empty_windows: normal,", 1))
    assert toy.toy_pipeline(settings).feeds["heat"].empty_windows == "normal"


def test_where_windows_without_rows_are_normal_the_gaps_in_a_table_land_as_headers(toy_settings: Settings) -> None:
    normal(toy_settings)
    done = land(toy_settings, GAP)
    files = landed(toy_settings)
    assert [name for name, text in files.items() if text == f"{HEADER}\n"] == ["2020-01-03.csv", "2020-01-04.csv"]
    assert len(done.new) == 5
    assert done.skipped == ("2 files hold the header alone: of as many daily windows inside the table it has no row",)
    again = land(toy_settings, GAP)
    assert (again.new, again.corrections, again.unchanged, again.skipped) == ((), (), 3, ())
    assert landed(toy_settings) == files


def test_a_gap_that_another_table_fills_is_a_correction_and_a_filled_one_stays(toy_settings: Settings) -> None:
    normal(toy_settings)
    land(toy_settings, GAP)
    filled = land(toy_settings, f"{HEADER}\nm0,2020-01-03T10:00:00Z,47.0\n")
    assert [uri.rpartition("/")[2] for uri in filled.corrections] == ["2020-01-03.1.csv"]
    land(toy_settings, GAP)
    assert "2020-01-03.2.csv" not in landed(toy_settings)


def test_elsewhere_a_gap_stays_a_gap(toy_settings: Settings) -> None:
    land(toy_settings, GAP)
    assert list(landed(toy_settings)) == ["2020-01-01.csv", "2020-01-02.csv", "2020-01-05.csv"]


def test_the_edges_of_local_days_leave_no_window_without_a_file(toy_settings: Settings) -> None:
    normal(toy_settings)
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(
        path.read_text().replace("empty_windows: normal,", "empty_windows: normal, day_timezone: Asia/Tokyo,")
    )
    land(toy_settings, GAP)
    pipeline = toy.toy_pipeline(toy_settings)
    spans = [landed_files.file_span(pipeline.feeds["heat"], name) for name in landed(toy_settings)]
    for day in range(5):
        window = toy.days(day, day + 1)
        assert any(span.start < window.end and window.start < span.end for span in spans if span)


def test_a_window_that_landed_as_a_header_is_built_without_rows(toy_settings: Settings) -> None:
    normal(toy_settings)
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("delay_minutes: 0,", "delay_minutes: 0, empty_windows: normal,", 1))
    toy.land(toy_settings, days=range(1))
    jobs = "job,machine,planned_at,starts_at,size\n"
    rows = "".join(f"j{day},m0,2020-01-0{day}T10:00:00Z,2020-01-0{day}T12:00:00Z,5\n" for day in (1, 4))
    land(toy_settings, jobs + rows, feed="jobs")
    land(toy_settings, GAP)
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, toy_settings, toy.days(2, 3))
    # It is the first window of the pipeline, too: no feed has a clean row yet.
    assert toy.run("build_features", toy_settings, toy.days(2, 3)).examples == 0
    for stage in ("validate_features", "profile", "materialize"):
        toy.run(stage, toy_settings, toy.days(2, 3))
