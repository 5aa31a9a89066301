"""The table of faults itself: each changes what lands, and silence, a wrong name or a training asked for are found."""

import re
import shutil
from pathlib import Path

import pytest

from .fault import Fault
from .landed import Landed
from .reaction import Reaction
from .stand import land_april
from .table import FAULTS, wrong

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
QUIET = Reaction("x", triage="nothing")
LOUD = Reaction("x", alarms=(("validate_raw", "unit_change", "weather.temp", "looks like a unit change"),))


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landed") / "april"
    land_april(folder)
    return folder


def fault(says: str | None) -> Fault:
    return Fault("x", lambda _files: None, how="", before="", says=says, outcomes_only=False)


def content(folder: Path, *feeds: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for feed in feeds for path in (folder / feed).iterdir()}


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "none"])
def test_every_fault_changes_what_lands_and_only_outcomes_where_it_says_so(
    april: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(april, tmp_path / "april")
    FAULTS[name].plant(Landed(tmp_path / "april"))
    inputs, outcomes = ("schedule", "departures", "weather"), ("arrivals",)
    changed = [content(april, *feeds) != content(tmp_path / "april", *feeds) for feeds in (inputs, outcomes)]
    assert changed == [False, True] if FAULTS[name].outcomes_only else changed[0]


def test_no_two_faults_have_one_name() -> None:
    assert len(FAULTS) == len({fault.plant for fault in FAULTS.values()}) > 33


def test_the_page_has_a_row_for_each_fault_in_their_order() -> None:
    table = PAGE.read_text().split("\n## The table\n")[1]
    rows = re.findall(r"(?m)^\| (.+?) \| (.+?) \|", table)
    assert rows[2:] == [(fault.name, fault.how.replace("|", "\\|")) for fault in FAULTS.values()]


def test_silence_about_a_fault_is_wrong() -> None:
    assert wrong(fault("temp"), QUIET) == "silent"


def test_an_alarm_or_a_refusal_about_what_was_planted_is_right() -> None:
    assert wrong(fault("temp"), LOUD) == ""
    assert wrong(fault("temp"), Reaction("x", refused="ingest: weather.temp is NA")) == ""


def test_an_alarm_about_something_else_is_wrong() -> None:
    assert wrong(fault("distance_miles"), LOUD) == "does not say 'distance_miles'"


def test_a_librarys_own_error_is_wrong() -> None:
    crashed = Reaction("x").refusing("ingest", KeyError("temp"))
    assert wrong(fault("temp"), crashed) == "ends in a library's own error: ingest: KeyError: 'temp'"


def test_a_warning_alone_is_silence() -> None:
    assert wrong(fault("temp"), Reaction("x", warnings=("weather: temp",), set_aside=("temp",))) == "silent"


def test_a_training_asked_for_on_a_fault_is_wrong() -> None:
    asked = Reaction("x", alarms=LOUD.alarms, triage="retrain")
    assert wrong(fault("temp"), asked) == "broken input asks for a training"


def test_other_clean_tables_of_what_is_right_are_wrong() -> None:
    assert wrong(fault(None), Reaction("x", same=True)) == ""
    assert "clean tables" in wrong(fault(None), Reaction("x", same=False))


def test_a_word_about_what_is_right_is_wrong() -> None:
    assert wrong(fault(None), QUIET) == ""
    assert wrong(fault(None), LOUD).startswith("says of what is right: validate_raw unit_change")
