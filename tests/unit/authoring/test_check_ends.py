"""A check comes to its end, whatever a project's own Python does: it names the line that does not."""

import signal
from pathlib import Path

import pytest
from tests.support import toy_arrays, toy_sql
from tests.support.command import Airloop

from airloop.authoring import pipeline_check
from airloop.authoring.pipeline_check import endless
from airloop.settings import Settings

COMPUTES = "while True:\n    pass\n"
WAITS = "import time\nwhile True:\n    time.sleep(3600)\n"
GOES_ON = "while True:\n    try:\n        len('x')\n    except Exception:\n        pass\n"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is endless is so after a tenth of a second of its own code, however slow the machine is."""
    monkeypatch.setattr(endless, "SECONDS", {signal.ITIMER_PROF: 0.1, signal.ITIMER_REAL: 0.1})
    monkeypatch.setattr(endless, "_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(endless, "_ELSEWHERE", 1e9)


def appended(path: Path, code: str) -> tuple[int, int]:
    """Add code to the end of a file; returns its first and its last line."""
    text = path.read_text() if path.exists() else ""
    path.write_text(text + code)
    return text.count("\n") + 1, (text + code).count("\n")


def checked(airloop: Airloop, path: Path, lines: tuple[int, int]) -> None:
    """The check ends with one line that names a line of the code."""
    before = [signal.getsignal(number) for number in (signal.SIGPROF, signal.SIGALRM)]
    done = airloop("pipelines", "check", "toy")
    said = "".join(done.err.splitlines()).replace(" ", "")
    places = [f"{path}:{line}:doesnotcometoitsend" for line in range(lines[0], lines[1] + 1)]
    assert done.code == 1
    assert any(place in said for place in places), done.err
    assert "Traceback" not in done.err
    assert [signal.getsignal(number) for number in (signal.SIGPROF, signal.SIGALRM)] == before
    assert [signal.getitimer(timer)[0] for timer in endless.SECONDS] == [0.0, 0.0]


@pytest.mark.parametrize("code", [COMPUTES, WAITS, GOES_ON])
@pytest.mark.usefixtures("hasty")
def test_feast_definitions_that_do_not_end_are_one_line_with_the_place(
    toy_settings: Settings, airloop: Airloop, code: str
) -> None:
    path = toy_settings.feature_repo_dir / "toy.py"
    checked(airloop, path, appended(path, code))


@pytest.mark.usefixtures("hasty")
def test_a_transforms_file_that_does_not_end_is_one_line_with_the_place(
    toy_settings: Settings, airloop: Airloop
) -> None:
    toy_arrays.add_array(toy_settings)
    path = toy_settings.pipelines_dir / "toy" / "transforms.py"
    checked(airloop, path, appended(path, COMPUTES))


@pytest.mark.usefixtures("hasty")
def test_a_module_of_the_project_that_does_not_end_is_one_line_with_the_place(
    toy_settings: Settings, airloop: Airloop, monkeypatch: pytest.MonkeyPatch
) -> None:
    include = toy_settings.pipelines_dir.parent
    monkeypatch.syspath_prepend(str(include))
    toy_sql.declare(toy_settings, "calendar: daily", "calendar: daily\nreplay: own_endless:Past")
    checked(airloop, include / "own_endless.py", appended(include / "own_endless.py", COMPUTES))


@pytest.mark.usefixtures("hasty")
def test_python_that_takes_a_while_and_ends_passes_where_it_ends_in_time(
    toy_settings: Settings, airloop: Airloop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endless, "SECONDS", {signal.ITIMER_PROF: 60.0, signal.ITIMER_REAL: 300.0})
    appended(toy_settings.feature_repo_dir / "toy.py", "import time\ntime.sleep(0.3)\n")
    assert airloop("pipelines", "check", "toy").code == 0


def test_where_nothing_of_the_project_is_at_work_the_check_is_given_longer_and_says_so(
    airloop: Airloop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*_arguments: object) -> list[str]:
        while True:
            pass

    monkeypatch.setattr(endless, "SECONDS", {signal.ITIMER_PROF: 0.1, signal.ITIMER_REAL: 0.1})
    monkeypatch.setattr(endless, "_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(pipeline_check, "check_pipeline", hangs)
    done = airloop("pipelines", "check", "toy")
    assert (done.code, "none of the project's files was at work" in " ".join(done.err.split())) == (1, True)
