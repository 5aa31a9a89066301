"""The rollback DAG asks for one step back, under the run's id, or sets and lifts the lock; a reason is required."""

from typing import Any

import dag_runs
import pytest
from airflow.sdk.exceptions import ParamValidationError
from dag_runs import JANUARY, Stages
from tests.support.ledger_entries import put_in_force

from airloop import records, settings
from airloop.stores import ledger

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]


def _answer(options: dict[str, Any]) -> records.RolledBack:
    return records.RolledBack(
        "flight_delays",
        options["version"],
        options["instead_of"],
        options["why"],
        options["who"],
        options["request"],
        intended_sequence=7,
        sequence=8,
        effective_at=JANUARY.end,
    )


def test_a_run_goes_back_one_step_under_its_own_id(stages: Stages) -> None:
    store = settings.load_settings()
    put_in_force(store, "flight_delays", 1, JANUARY.start)
    put_in_force(store, "flight_delays", 2, JANUARY.end, previous=1)
    stages.answers = {"roll_back": _answer}
    done = dag_runs.run("rollback", {"reason": "it predicts nonsense"})
    assert done.state == "success"
    name, window, options = stages.calls[0]
    assert (name, window) == ("roll_back", records.Window(JANUARY.start, JANUARY.end))
    wanted = {"version": 1, "instead_of": 2, "why": "it predicts nonsense", "request": done.run_id}
    assert {key: options[key] for key in wanted} == wanted


def test_a_run_locks_and_another_unlocks(stages: Stages) -> None:
    for action, kind in (("lock", "locked"), ("unlock", "unlocked")):
        assert dag_runs.run("rollback", {"action": action, "reason": "checking"}).state == "success"
        assert ledger.entries(settings.load_settings(), "flight_delays")[-1].kind == kind
    assert stages.calls == []


@pytest.mark.parametrize("conf", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x", "version": "2"}])
def test_a_run_without_a_reason_or_with_a_text_as_version_does_not_start(stages: Stages, conf: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        dag_runs.run("rollback", conf)


def test_a_rollback_of_nothing_fails_with_its_reason(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    assert dag_runs.run("rollback", {"reason": "x"}).state == "failed"
    assert "has no champion: nothing was ever promoted" in capsys.readouterr().out
