"""A broken declaration refuses only what names it: every command about another pipeline goes on."""

import pytest
from tests.support import toy, toy_fleet
from tests.support.command import Airloop

from airloop.errors import ConfigError
from airloop.settings import Settings
from airloop_platform import commands

START, END = toy.text(toy.days(0, 1).start), toy.text(toy.days(0, 1).end)
WRECKS = {
    "pipeline.yaml": ("calendar: daily", "calender: daily"),
    "features.sql": ("machine, celsius,", "machine, celsus,"),
    "feature_repo": ("job = Entity", "job == Entity"),
}


@pytest.fixture(params=sorted(WRECKS))
def neighbour(toy_settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """The toy beside a pipeline with a typo."""
    folder = toy_fleet.add(toy_settings, "aaa_wreck")
    path = toy_settings.feature_repo_dir / "aaa_wreck.py" if request.param == "feature_repo" else folder / request.param
    toy_fleet.rewrite(path, *WRECKS[request.param])
    return toy_settings


@pytest.mark.parametrize(
    "command",
    [
        ("pipelines", "check", "toy"),
        ("ledger", "show", "toy"),
        ("ledger", "verify", "toy"),
        ("alarms", "list", "toy"),
        ("quarantine", "list", "toy"),
        ("run", "ingest", "toy", "--start", START, "--end", END),
        ("schema",),
    ],
    ids=" ".join,
)
def test_a_command_about_another_pipeline_goes_on(neighbour: Settings, airloop: Airloop, command) -> None:
    toy.land(neighbour, days=range(1))
    shown = airloop(*command)
    assert (shown.code, shown.err) == (0, "")


def test_the_log_of_the_others_is_collected_and_what_is_broken_is_said(neighbour: Settings, airloop: Airloop) -> None:
    broken = "calender" in (neighbour.pipelines_dir / "aaa_wreck" / "pipeline.yaml").read_text()
    done = airloop("collect-log")
    assert "toy: 0 records" in done.out
    assert (done.code, "calender: unknown key" in done.err) == (int(broken), broken)


def replayed(settings: Settings, name: str, tags: str) -> None:
    path = settings.pipelines_dir / name / "pipeline.yaml"
    toy_fleet.rewrite(path, "tags: [test]", f"tags: [{tags}]\nreplay: 'nycflights.feeds:NycFlights'")


def test_the_demo_is_found_beside_a_broken_pipeline(toy_settings: Settings) -> None:
    replayed(toy_settings, "toy", "demo")
    folder = toy_fleet.add(toy_settings, "aaa_wreck")
    toy_fleet.rewrite(folder / "pipeline.yaml", "calendar: daily", "calender: daily")
    assert commands._tagged_demo(toy_settings) == "toy"


def test_a_demo_that_is_broken_itself_is_said(toy_settings: Settings) -> None:
    replayed(toy_settings, "toy", "demo")
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    toy_fleet.rewrite(path, "calendar: daily", "calender: daily")
    with pytest.raises(ConfigError, match=r"0 pipelines with a replay are tagged demo(.|\n)*calender: unknown key"):
        commands._tagged_demo(toy_settings)
