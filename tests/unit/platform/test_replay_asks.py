"""A replay that waits for a person says so, and how to answer; a second user answers what is theirs alone."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import pytest
from tests.support import toy

from airloop.settings import Settings
from airloop_platform.replay import approver as approvers
from airloop_platform.replay.airflow_client import Run
from airloop_platform.replay.approver import Approver
from airloop_platform.replay.runs import Runs
from airloop_platform.supervisor import Platform
from airloop_platform.supervisor.credentials import credentials

RUN = Run("toy__promotion", "decision__7", "running")
PLATFORM = Platform("http://airflow", "http://mlflow", "admin", "secret", "secret")


class Answering:
    """Airflow as a replay asks it: one promotion, whose task is in a state."""

    def __init__(self, state: str) -> None:
        self.run, self.state = RUN, state

    def find(self, _dag_id: str, _run_id: str) -> Run:
        return self.run

    def again(self, run: Run) -> Run:
        return run

    def wait(self, run: Run, *, seconds: float, on_tasks: Callable[[list[dict[str, Any]]], None]) -> Run:
        on_tasks([{"task_id": "approve", "state": self.state}, {"task_id": "promote", "state": None}])
        return run


class Asking:
    """Airflow as a second user sees it: one question, for some or for everybody."""

    assigned: tuple[str, ...] = ()
    answers: ClassVar[list[tuple[str, str]]] = []

    def __init__(self, login: Platform) -> None:
        self.login = login

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def questions(self, _run: Run) -> list[dict[str, Any]]:
        users = [{"id": name, "name": name} for name in self.assigned]
        return [] if self.answers else [{"assigned_users": users}]

    def answer(self, _run: Run, _task_id: str, option: str, *, comment: str) -> None:
        assert comment
        self.answers.append((self.login.username, option))


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> type[Asking]:
    monkeypatch.setattr(approvers, "AirflowClient", Asking)
    monkeypatch.setattr(Asking, "answers", [])
    return Asking


def said(settings: Settings, state: str, approver: Approver | None) -> list[str]:
    lines: list[str] = []
    runs = Runs(toy.toy_pipeline(settings), Answering(state), lines.append, "", approver)  # type: ignore[arg-type]
    assert runs.follow("promotion", "decision__7", "March: promotion")
    return lines


def second_user(settings: Settings, name: str) -> Approver | None:
    credentials(settings.model_copy(update={"airflow_users": {"approver": "op"}}))
    return Approver.of(name, PLATFORM, settings)


@pytest.mark.parametrize(("state", "asks"), [("deferred", True), ("running", False), ("success", False)])
def test_a_promotion_that_asks_a_person_says_where_and_by_which_command(
    toy_settings: Settings, state: str, asks: bool
) -> None:
    lines = said(toy_settings, state, None)
    assert any("`airloop approve toy 7 --why '...'` (or `reject`)" in line for line in lines) is asks


@pytest.mark.parametrize("assigned", [(), ("anna", "approver")])
def test_a_second_user_approves_once_what_is_asked_of_them(
    toy_settings: Settings, asking: type[Asking], assigned: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "assigned", assigned)
    approver = second_user(toy_settings, "approver")
    for _ in range(2):
        assert said(toy_settings, "deferred", approver)[-1] == "March: promotion, approved by a second user"
    assert asking.answers == [("approver", "Approve")]


def test_what_is_asked_of_others_waits_for_them(
    toy_settings: Settings, asking: type[Asking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "assigned", ("anna",))
    assert "waits for a person's approval" in said(toy_settings, "deferred", second_user(toy_settings, "approver"))[-1]
    assert asking.answers == []


@pytest.mark.parametrize("name", ["", "boris"])
def test_a_login_that_the_platform_lacks_answers_nothing(toy_settings: Settings, name: str) -> None:
    assert second_user(toy_settings, name) is None


def test_a_second_user_shows_no_password(toy_settings: Settings) -> None:
    approver = second_user(toy_settings, "approver")
    assert approver is not None
    assert approver.platform.password not in repr(approver)
