"""Every shipped pipeline is whole, and nothing that serves all pipelines knows any of them."""

import re
from pathlib import Path

import pytest

from airloop.authoring.pipeline_check import check_pipeline
from airloop.authoring.scaffold import left_to_decide
from airloop.config import load_pipeline, pipeline_names
from airloop.settings import Settings, load_settings
from airloop_platform import cli

PROJECT = Path(__file__).parents[3]
SHIPPED = pipeline_names(load_settings())
GENERIC = (
    "dags",
    "plugins",
    "include/airloop",
    "include/airloop_airflow",
    "include/airloop_platform",
)

# What the shipped pipelines and their upstream are about, also inside a name (flight_id, pixels_00). `origin`,
# `arrival`, `image` and plain `digits` are left out, being everybody's words.
DOMAIN = re.compile(
    r"flights?\b|flight_|nyc|airport|airline|aircraft|carrier|tail_?num|boarding|runway|\b(EWR|JFK|LGA)\b"
    r"|\b(air)?planes?\b|departures?\b|departed_at|weather|temperature|\bdewp|\bhumid|\bprecip"
    r"|digit_|digits?[ _](image|scan)|digits\.feeds|(from|import) digits|DigitScans|load_digits|handwrit|pixel"
    r"|\bscans?_",
    re.IGNORECASE,
)


def found_in(text: str) -> list[str]:
    """Lines, code or comment, that name a shipped pipeline or a word of its domain."""
    names = re.compile("|".join(SHIPPED))
    return [line.strip() for line in text.splitlines() if names.search(line) or DOMAIN.search(line)]


def test_one_pipeline_is_the_demo() -> None:
    tags = [load_pipeline(name, load_settings()).tags for name in SHIPPED]
    assert sum("demo" in found for found in tags) == 1


def test_there_is_a_pipeline_of_each_task() -> None:
    tasks = {load_pipeline(name, load_settings()).prediction.task for name in SHIPPED}
    assert tasks == {"binary", "regression", "multiclass"}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pipeline_passes_the_check_and_leaves_nothing_to_decide(name: str) -> None:
    assert len(check_pipeline(name, load_settings())) >= 4
    assert left_to_decide(name, load_settings()) == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pipeline_can_be_replayed(name: str) -> None:
    pipeline = load_pipeline(name, load_settings())
    assert pipeline.replay
    assert pipeline.coverage.end


def test_nothing_generic_knows_a_pipeline() -> None:
    found = {
        str(path.relative_to(PROJECT)): lines
        for folder in GENERIC
        for path in sorted((PROJECT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and (lines := found_in(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        'if pipeline.name == "flight_delays":',
        'epilog="Example: airloop ledger show flight_delays"',
        "# the airport's rows",
        "flight_id = row[0]",
        "carriers = set(rows)",
        "weather = load()",
        '"""Columns are named pixels_00 ... pixels_63."""',
        "from digits import DigitScans",
        "from nycflights.feeds import NycWeather",
    ],
)
def test_what_knows_a_pipeline_is_found(line: str) -> None:
    assert found_in(f"x = 1\n{line}\n") == [line]


def test_common_words_are_let_through() -> None:
    assert found_in("two digits\n_DIGITS = 2\nplanned\nits own arrival\nExample: airloop pipelines check NAME\n") == []


def test_without_a_pipeline_tagged_demo_one_has_to_be_named(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("calendar: daily", "calendar: daily\nreplay: nycflights.feeds:NycWeather"))
    with pytest.raises(SystemExit) as left:
        cli.main(("demo",))
    assert left.value.code == 1
    assert "0 pipelines with a replay are tagged demo; name one by --pipeline (of: toy)" in capsys.readouterr().err
