"""A replay that waits for a person says so, and how to answer."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import toy

from airloop.settings import Settings
from airloop_platform.replay.airflow_client import Run
from airloop_platform.replay.runs import Runs


class Answering:
    """Airflow as a replay asks it: one promotion, whose task is in a state."""

    def __init__(self, state: str) -> None:
        self.run, self.state = Run("toy__promotion", "decision__7", "running"), state

    def find(self, _dag_id: str, _run_id: str) -> Run:
        return self.run

    def again(self, run: Run) -> Run:
        return run

    def wait(self, run: Run, *, seconds: float, on_tasks: Callable[[list[dict[str, Any]]], None]) -> Run:
        on_tasks([{"task_id": "approve", "state": self.state}, {"task_id": "promote", "state": None}])
        return run


@pytest.mark.parametrize(("state", "asks"), [("deferred", True), ("running", False), ("success", False)])
def test_a_promotion_that_asks_a_person_says_where_and_by_which_command(
    toy_settings: Settings, state: str, asks: bool
) -> None:
    said: list[str] = []
    runs = Runs(toy.toy_pipeline(toy_settings), Answering(state), said.append, "")  # type: ignore[arg-type]
    assert runs.follow("promotion", "decision__7", "March: promotion")
    assert any("`airloop approve toy 7 --why '...'` (or `reject`)" in line for line in said) is asks
