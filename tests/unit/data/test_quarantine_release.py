"""Repaired rows come in through the same door: as a correction of their day, once, or not at all."""

from datetime import timedelta
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from tests.support import hourly, landed, toy
from tests.support.landed import FILE, job

from airloop.data import inbox, quarantine, quarantine_release
from airloop.data.quarantine_release import Released
from airloop.errors import AirloopError, ConfigError, DataContractError, UpstreamUnavailable
from airloop.records import Window
from airloop.settings import Settings

DAYS = toy.days(0, 2)
LATER = "2020-01-02T00:00:00Z"
HEADER = "job,machine,planned_at,starts_at,size"
FIRST, SECOND = "2020-01-01.0.release.1.csv", "2020-01-02.0.release.1.csv"


@pytest.fixture(scope="module")
def _refused_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = toy.write_project(tmp_path_factory.mktemp("refused") / "project", Settings().project_dir)
    toy.land(settings, days=range(2))
    good = [job(f"g{number}") for number in range(80)]
    landed.put(settings, FILE, [*good, job("a", size="many"), job("b", size=-1)])
    landed.put(settings, "2020-01-02.csv", [job("c", planned=LATER, size="")])
    _run(settings)
    assert _names(settings) == ["a", "b", "c"]
    return settings


@pytest.fixture
def quarantined(_refused_once: Settings, tmp_path: Path) -> Settings:
    """Jobs a and b of the first day and c of the second in quarantine, 80 good jobs beside them."""
    return toy.copied(_refused_once, tmp_path / "copy")


def _run(settings: Settings) -> None:
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, settings, DAYS)


def _names(settings: Settings) -> list[str | None]:
    return [row.key["job"] for row in quarantine.list_rows(toy.toy_pipeline(settings), settings)]


def _release(settings: Settings, *rows: str, feed: str = "jobs", header: str = HEADER) -> Released:
    path = settings.home / "repaired.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return quarantine_release.release(toy.toy_pipeline(settings), feed, path, settings)


def _files(settings: Settings) -> list[str]:
    return sorted(path.name for path in (Path(settings.landing_uri) / "toy" / "jobs").iterdir())


def test_repaired_rows_land_by_day_and_the_next_run_takes_them_in(quarantined: Settings) -> None:
    done = _release(quarantined, job("c", planned=LATER, size=3), job("a", size=1), job("b", size=2))
    assert [uri.rpartition("/")[2] for uri in done.landed] == [SECOND, FIRST]
    assert done.before == ()
    _run(quarantined)
    assert _names(quarantined) == []
    sizes = landed.sizes(quarantined, layer="clean")
    assert (len(sizes), sizes["a"], sizes["b"], sizes["c"]) == (83, 1, 2, 3)


def test_rows_of_a_file_named_by_its_hour_are_released_into_that_hour(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    hourly.declare(toy_settings, files="{day}T{hour}.csv")
    over = Window(toy.START, toy.START + timedelta(hours=1))
    good = [job(f"g{number}") for number in range(80)]
    landed.put(toy_settings, "2020-01-01T00.csv", [*good, job("a", size="many")])
    hourly.land(toy_settings, "heat", toy.START, [hourly.heat(toy.START)], name="2020-01-01T00.csv")
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, toy_settings, over)
    with pytest.raises(DataContractError, match="for 2020-01-01 00:00, its planned_at now lies in 2020-01-01 01:00"):
        _release(toy_settings, job("a", planned="2020-01-01T01:00:00Z"))
    done = _release(toy_settings, job("a"))
    assert [uri.rpartition("/")[2] for uri in done.landed] == ["2020-01-01T00.0.release.1.csv"]
    assert _release(toy_settings, job("a")).landed == ()


def test_the_inbox_rebuilds_the_windows_of_released_rows_and_those_that_read_them(quarantined: Settings) -> None:
    pipeline = toy.toy_pipeline(quarantined)
    for day in range(2):
        toy.run("ingest", quarantined, toy.days(day, day + 1))
    assert inbox.waiting_windows(pipeline, quarantined) == ()
    _release(quarantined, job("a", size=1))
    waiting = inbox.waiting_windows(pipeline, quarantined)
    assert [item.window for item in waiting] == [toy.days(0, 1), toy.days(1, 2)]
    assert FIRST in waiting[0].why
    assert waiting[1].why == f"its lookback reads {toy.days(0, 1)}"


def test_the_same_release_again_changes_nothing_whatever_its_order_and_spelling(quarantined: Settings) -> None:
    first = _release(quarantined, job("a", size=1), job("b", size=2))
    before = _files(quarantined)
    again = _release(quarantined, job("b", size="+2 "), job("a", size=" 1.0", planned="2020-01-01T01:00:00+01:00"))
    assert (again.landed, len(again.before)) == ((), len(first.landed))
    _run(quarantined)
    assert _release(quarantined, job("a", size=1), job("b", size=2)).landed == ()
    assert _files(quarantined) == before


def test_a_release_killed_between_two_days_is_finished_by_a_second_one(
    quarantined: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, put = [job("a", size=1), job("c", planned=LATER, size=3)], quarantine_release.put

    def killed(uri: str, *given: object) -> None:
        if uri.endswith(SECOND):
            raise KeyboardInterrupt
        put(uri, *given)

    monkeypatch.setattr(quarantine_release, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        _release(quarantined, *rows)
    monkeypatch.undo()
    _run(quarantined)
    done = _release(quarantined, *rows)
    assert [uri.rpartition("/")[2] for uri in (*done.before, *done.landed)] == [FIRST, SECOND]


def test_a_row_that_still_breaks_a_rule_comes_back_and_can_be_released_again(quarantined: Settings) -> None:
    _release(quarantined, job("a", size=-5))
    _run(quarantined)
    (row,) = [row for row in quarantine.list_rows(toy.toy_pipeline(quarantined), quarantined) if row.key["job"] == "a"]
    assert (row.values["size"], row.source) == ("-5", None)
    (uri,) = _release(quarantined, job("a", size=5)).landed
    assert uri.endswith("2020-01-01.0.release.2.csv")
    _run(quarantined)
    assert landed.sizes(quarantined, layer="clean")["a"] == 5


def test_a_later_correction_of_the_upstream_wins_over_a_released_row(quarantined: Settings) -> None:
    _release(quarantined, job("a", size=1))
    landed.put(quarantined, "2020-01-01.1.csv", [job("a", size=9)])
    _run(quarantined)
    assert landed.sizes(quarantined, layer="clean")["a"] == 9


REFUSED: dict[str, tuple[str, list[str], str]] = {
    "a key that is not in quarantine": (HEADER, [job("a"), job("g1")], "job 'g1' is not in quarantine of jobs"),
    "a row twice": (HEADER, [job("a"), job("a")], "the key job 'a' is there twice"),
    "a key twice": (HEADER, [job("a"), job("a", size=2)], "line 2, column 'job': 'a' stands in another line too"),
    "no key": (HEADER, [job("")], "the key job None lacks a part"),
    "another day": (HEADER, [job("a", planned=LATER)], "job 'a' stands in quarantine for 2020-01-01, .* 2020-01-02"),
    "a wrong type": (HEADER, [job("a"), job("b", size="x")], "line 3, column 'size': 'x' is not a whole number"),
    "no time": (HEADER, [job("a", planned="")], "line 2, column 'planned_at': is empty"),
    "a renamed column": (HEADER.replace("size", "sizes"), [job("a")], "'size' may be 'sizes'"),
    "no row": (HEADER, [], "holds no row to release"),
}


@pytest.mark.parametrize(("header", "rows", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_names_its_place_and_nothing_lands(
    quarantined: Settings, header: str, rows: list[str], says: str
) -> None:
    before = _files(quarantined)
    with pytest.raises(DataContractError, match=says):
        _release(quarantined, *rows, header=header)
    assert _files(quarantined) == before


@pytest.mark.parametrize(
    ("feed", "error", "says"),
    [
        ("machines", DataContractError, "machines is a static table.*repair the row in machines.csv and land"),
        ("job", ConfigError, "toy has no feed 'job'; did you mean 'jobs'"),
        ("failures", DataContractError, "columns differ"),
    ],
)
def test_another_feed_is_refused(quarantined: Settings, feed: str, error: type[AirloopError], says: str) -> None:
    with pytest.raises(error, match=says):
        _release(quarantined, job("a"), feed=feed)


def test_a_file_that_is_not_there_is_refused(quarantined: Settings) -> None:
    with pytest.raises(ConfigError, match=r"none\.csv cannot be read: No such file"):
        quarantine_release.release(toy.toy_pipeline(quarantined), "jobs", Path("none.csv"), quarantined)


def test_a_day_whose_files_are_gone_is_refused_because_its_run_would_delete_it(quarantined: Settings) -> None:
    (Path(quarantined.landing_uri) / "toy" / "jobs" / FILE).unlink()
    with pytest.raises(DataContractError, match="no file of jobs for 2020-01-01 lies in the landing folder any more"):
        _release(quarantined, job("a", size=1))


def test_a_landing_folder_that_cannot_be_written_is_retried_and_holds_no_part(
    quarantined: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _files(quarantined)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LocalFileSystem, "mv", full)
    with pytest.raises(UpstreamUnavailable, match=rf"{FIRST} cannot be written: .*No space left"):
        _release(quarantined, job("a", size=1))
    assert _files(quarantined) == before


def test_what_the_list_writes_is_what_the_release_reads(quarantined: Settings) -> None:
    pipeline = toy.toy_pipeline(quarantined)
    rows = quarantine.list_rows(pipeline, quarantined, feed="jobs")
    text = quarantine.to_csv(pipeline.feeds["jobs"], [row.values for row in rows]).decode()
    assert text.splitlines() == [HEADER, job("a", size="many"), job("b", size=-1), job("c", planned=LATER, size="")]
    assert _release(quarantined, *text.replace("many", "1").splitlines()[1:3]).landed
