"""`airloop quarantine`: a person sees what was refused, repairs it in a file, and lets it in again."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import command, landed, toy
from tests.support.landed import FILE, job

from airloop.settings import Settings

Quarantine = Callable[..., tuple[int, str, str]]


@pytest.fixture
def airloop(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Quarantine:
    monkeypatch.chdir(toy_settings.home.parent)
    airloop = command.in_checkout(toy_settings, monkeypatch, capsys)
    return lambda *arguments: dataclasses.astuple(airloop("quarantine", *arguments))


@pytest.fixture
def refused(toy_settings: Settings) -> Settings:
    """Two rows of jobs and one of heat in quarantine, one file of failures set aside."""
    toy.land(toy_settings, days=range(2))
    landed.put(toy_settings, FILE, [job("a", size="many"), job("b", size=-1), *(job(f"g{i}") for i in range(60))])
    path = Path(toy_settings.landing_uri) / "toy" / "heat" / FILE
    path.write_text(path.read_text().replace("m0,", ",", 1))
    landed.put_bytes(toy_settings, FILE, b"", feed="failures")
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, toy_settings, toy.days(0, 2))
    return toy_settings


def test_nothing_refused_is_said_so(airloop: Quarantine, toy_settings: Settings) -> None:
    assert airloop("list", "toy") == (0, "nothing is in quarantine, no file is set aside\n", "")


def test_the_list_shows_rows_and_files_with_their_reasons(airloop: Quarantine, refused: Settings) -> None:
    code, out, _ = airloop("list", "toy")
    text = " ".join(out.split())
    assert code == 0
    for word in ("2020-01-01T00:00Z", "type of size", "by hand", "job=a", "size=many", "is empty (0 bytes)"):
        assert word in text


def test_the_list_for_programs_holds_everything(airloop: Quarantine, refused: Settings) -> None:
    found = json.loads(airloop("list", "toy", "--json")[1])
    assert [(row["feed"], row["rules"]) for row in found["rows"]] == [
        ("jobs", "type of size"),
        ("jobs", "expect_column_values_to_be_between(size)"),
        ("heat", "expect_column_values_to_not_be_null(machine)"),
    ]
    assert {"window_start", "run", "key", "values", "source"} < set(found["rows"][0])
    assert [item["feed"] for item in found["set_aside"]] == ["failures"]
    only = json.loads(airloop("list", "toy", "--feed", "heat", "--json")[1])
    assert ([row["feed"] for row in only["rows"]], only["set_aside"]) == (["heat"], [])


def test_rows_are_repaired_in_the_file_the_list_writes_and_released(airloop: Quarantine, refused: Settings) -> None:
    assert airloop("list", "toy", "--feed", "jobs", "--csv", "jobs.csv")[0] == 0
    path = Path("jobs.csv")
    assert path.read_text().splitlines()[1:] == [job("a", size="many"), job("b", size=-1)]
    code, _, err = airloop("release", "toy", "jobs", "jobs.csv")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "jobs.csv line 2, column 'size': 'many' is not a whole number" in err
    path.write_text(path.read_text().replace("many", "4").replace("-1", "5"))
    code, out, _ = airloop("release", "toy", "jobs", "jobs.csv")
    assert (code, out.splitlines()[0].rpartition("/")[2]) == (0, "2020-01-01.0.release.1.csv")
    assert "released before, nothing changed" in airloop("release", "toy", "jobs", "jobs.csv")[1]


def test_repaired_rows_are_not_written_over(airloop: Quarantine, refused: Settings) -> None:
    Path("jobs.csv").write_text("repaired")
    code, _, err = airloop("list", "toy", "--feed", "jobs", "--csv", "jobs.csv")
    assert (code, Path("jobs.csv").read_text()) == (1, "repaired")
    assert "jobs.csv exists" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "tou"), "unknown pipeline 'tou'"),
        (("list", "toy", "--feed", "job"), "toy has no feed 'job'; did you mean 'jobs'"),
        (("list", "toy", "--csv", "all.csv"), "one feed: give --feed, one of heat, jobs"),
        (("list", "toy", "--feed", "failures", "--csv", "x.csv"), "there is no row in quarantine"),
        (("release", "toy", "jobs", "none.csv"), "none.csv cannot be read: No such file"),
        (("release", "toy", "machines", "none.csv"), "machines is a static table"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line(airloop: Quarantine, refused: Settings, arguments: tuple[str, ...], says: str) -> None:
    code, out, err = airloop(*arguments)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert says in err
