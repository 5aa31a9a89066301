"""The promotion DAG asks where the policy asks; what was answered before a run starts is not asked again."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.triggers.hitl import HITLTrigger
from airflow.sdk.exceptions import AirflowRuntimeError, TaskDeferred
from airflow.sdk.execution_time.comms import ErrorResponse
from dag_runs import DAGS, Stages, states, without_callbacks
from tests.support import ledger_entries, toy

from airloop import records
from airloop.gate import approval
from airloop.settings import Settings
from airloop.stores import ledger
from airloop_airflow.approval import Answers

# The whole of Airflow runs in this process, and warns about itself.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

PROJECT = DAGS.parent
DAY = toy.days(0, 30).end


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A checkout of the toy whose promotions anna approves."""
    made = toy.write_project(tmp_path / "project", PROJECT)
    path = made.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text() + "approval: {when: always, by: [anna], deadline_hours: 1}\n")
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(made.project_dir))
    return made


@pytest.fixture
def asked(stages: Stages, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same with stages that only answer, a champion, and decision 4 on version 2."""
    monkeypatch.setenv("AIRLOOP_HOME", str(settings.home))
    ledger_entries.put_in_force(settings, "toy", 1, toy.START)
    ledger_entries.decided(settings, "toy", 2, at=DAY, champion=1, asked_by="boris")
    stages.answers = {"promote": records.Promoted("toy", 2, 1, 4, 7, DAY)}
    return settings


def promotion() -> Any:
    bag = DagBag(dag_folder=str(DAGS / "airloop_promotion_dag.py"))
    assert bag.import_errors == {}
    return without_callbacks(bag.dags["toy__promotion"])


def answer(settings: Settings, kind: str) -> None:
    pipeline = toy.toy_pipeline(settings)
    approval.answer(pipeline, settings, 4, kind=kind, why="checked", who="anna")


def trigger(**changes: Any) -> Answers:
    given: dict[str, Any] = {"options": ["Approve", "Reject"], "defaults": ["Reject"], "params": {}}
    given |= {"ti_id": "t", "timeout_datetime": None, "pipeline": "toy", "sequence": 4, "poke_interval": 0.01}
    return Answers(**given | changes)


def test_a_policy_that_asks_adds_one_task_before_the_promotion(settings: Settings) -> None:
    edges = {task.task_id: sorted(task.downstream_task_ids) for task in promotion().tasks}
    assert edges == json.loads((PROJECT / "tests" / "golden" / "promotion_approval.json").read_text())


def test_what_was_approved_before_is_promoted_and_what_was_rejected_is_not(stages: Stages, asked: Settings) -> None:
    answer(asked, "approved")
    done = promotion().test(run_conf={"sequence": 4})
    assert (done.state, states(done)) == ("success", {"approve": "success", "promote": "success"})
    assert stages.names() == ["promote"]
    answer(asked, "rejected")
    done = promotion().test(run_conf={"sequence": 4})
    assert (done.state, states(done)) == ("success", {"approve": "success", "promote": "skipped"})
    assert stages.names() == ["promote"]


def test_a_decision_that_nobody_could_approve_fails_with_its_reason(
    asked: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger_entries.decided(asked, "toy", 3, at=DAY, champion=1, asked_by="anna")
    assert promotion().test(run_conf={"sequence": 5}).state == "failed"
    assert "names anna only, who started this: nobody can approve it" in capsys.readouterr().out


@pytest.mark.parametrize(("ending", "says"), [("answered", ""), ("overtaken", "version 3 passed later, by decision 5")])
def test_a_question_ends_when_the_ledger_has_an_answer_or_a_newer_version_passed(
    asked: Settings, monkeypatch: pytest.MonkeyPatch, ending: str, says: str
) -> None:
    open_question, closed = SimpleNamespace(response_received=False, chosen_options=None, responded_at=None), []
    monkeypatch.setattr(
        "airflow.providers.standard.triggers.hitl.get_hitl_detail_content_detail", lambda ti_id: open_question
    )
    monkeypatch.setattr(
        "airloop_airflow.approval.update_hitl_detail_response", lambda **given: closed.append(given["chosen_options"])
    )
    waiting = trigger()
    assert waiting.look() is None
    if ending == "answered":
        answer(asked, "approved")
    else:
        ledger_entries.decided(asked, "toy", 3, at=DAY, champion=1)
    event = asyncio.run(anext(waiting.run()))
    assert (event.payload, closed) == ({"ended": says, "sequence": 4}, [["Reject"]])


def given(user: str, option: str, comment: str = "") -> SimpleNamespace:
    """What Airflow has on record of an answer."""
    by, at = SimpleNamespace(id=user, name=user), datetime.now(UTC)
    values = {"response_received": True, "chosen_options": [option], "params_input": {"comment": comment}}
    return SimpleNamespace(**values, responded_by_user=by, responded_at=at)


@pytest.mark.parametrize(
    ("answers", "kind", "who", "why", "promote"),
    [
        ([given("anna", "Approve", "checked")], "approved", "anna", "checked", "success"),
        ([given("anna", "Reject")], "rejected", "anna", "no comment", "skipped"),
        # boris asked for the training, and is asked nothing; dora is not named. Both times anna is asked again.
        (
            [given("boris", "Approve"), given("dora", "Approve"), given("anna", "Approve")],
            *("approved", "anna"),
            *("no comment", "success"),
        ),
    ],
)
def test_an_answer_is_put_on_record_and_acted_on(
    asked: Settings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    answers: list[SimpleNamespace],
    kind: str,
    who: str,
    why: str,
    promote: str,
) -> None:
    left = list(answers)
    questions: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "airflow.providers.standard.triggers.hitl.get_hitl_detail_content_detail", lambda ti_id: left.pop(0)
    )
    monkeypatch.setattr("airloop_airflow.approval.upsert_hitl_detail", lambda **asked: questions.append(asked))
    done = promotion().test(run_conf={"sequence": 4})
    assert (done.state, states(done)) == ("success", {"approve": "success", "promote": promote})
    entry = ledger.history(asked, "toy").answer_to(4)
    assert entry is not None
    assert (entry.kind, entry.payload["who"], entry.payload["why"]) == (kind, who, why)
    # `dag.test` starts the task anew where the platform resumes it, and an attempt after the first asks nothing.
    assert [question["assigned_users"] for question in questions] == [[{"id": "anna", "name": "anna"}]]
    assert "Brier 0.1000, must be at most 0.2200" in questions[0]["body"]


def gone(**_: Any) -> None:
    raise AirflowRuntimeError(ErrorResponse(detail={"status_code": 404}))


@pytest.mark.parametrize(
    ("found", "event"),
    [
        (lambda ti_id: given("anna", "Reject", "no"), {"chosen_options": ["Reject"]}),
        (gone, {"unasked": True}),
    ],
)
def test_an_attempt_after_the_first_takes_the_answer_that_was_given_and_asks_only_where_no_question_stands(
    asked: Settings, monkeypatch: pytest.MonkeyPatch, found: Any, event: dict[str, Any]
) -> None:
    questions: list[dict[str, Any]] = []
    monkeypatch.setattr("airloop_airflow.approval.upsert_hitl_detail", lambda **asked: questions.append(asked))
    monkeypatch.setattr("airflow.providers.standard.triggers.hitl.get_hitl_detail_content_detail", found)
    task = promotion().get_task("approve")
    instance = SimpleNamespace(try_number=2, id="t")
    context = {"ti": instance, "task_instance": instance, "dag": task.dag, "params": {"sequence": 4}}
    context["dag_run"] = SimpleNamespace(conf={"sequence": 4}, triggering_user_name="boris")
    with pytest.raises(TaskDeferred) as left:
        task.execute(context)
    assert (questions, left.value.trigger.stands) == ([], True)
    fired = asyncio.run(anext(left.value.trigger.run())).payload
    assert {name: fired[name] for name in event} == event
    if "unasked" in fired:
        with pytest.raises(TaskDeferred) as asking:
            task.execute_complete(context, fired, **left.value.kwargs)
        assert [question["subject"] for question in questions] == ["Promote version 2 of toy?"]
        assert not asking.value.trigger.stands


def test_a_late_event_of_another_question_is_no_answer_to_this_one(
    asked: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[dict[str, Any]] = []
    monkeypatch.setattr("airloop_airflow.approval.upsert_hitl_detail", lambda **asked: questions.append(asked))
    monkeypatch.setattr(
        "airflow.providers.standard.triggers.hitl.get_hitl_detail_content_detail",
        lambda ti_id: given("anna", "Approve"),
    )
    task = promotion().get_task("approve")
    instance = SimpleNamespace(try_number=1, id="t")
    context = {"ti": instance, "task_instance": instance, "dag": task.dag, "params": {"sequence": 4}}
    context["dag_run"] = SimpleNamespace(conf={"sequence": 4}, triggering_user_name="boris")
    deadline = datetime.now(UTC).isoformat()
    events = [asyncio.run(anext(trigger(sequence=3).run())).payload, {"ended": "", "sequence": 3}, {}]
    for event in events:
        with pytest.raises(TaskDeferred) as waiting:
            task.execute_complete(context, event, deadline=deadline)
        # The question stands, with whatever a person has answered to it meanwhile.
        assert (questions, waiting.value.trigger.stands) == ([], True)
        assert ledger.history(asked, "toy").answer_to(4) is None
    task.execute_complete(context, asyncio.run(anext(waiting.value.trigger.run())).payload, deadline=deadline)
    entry = ledger.history(asked, "toy").answer_to(4)
    assert entry is not None
    assert entry.kind == "approved"


def test_an_error_of_airflow_while_the_first_attempt_waits_is_an_error(
    asked: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow.providers.standard.triggers.hitl.get_hitl_detail_content_detail", gone)
    with pytest.raises(AirflowRuntimeError):
        asyncio.run(anext(trigger().run()))


def test_nobodys_answer_is_the_default_at_the_deadline(asked: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = asked.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(path.read_text().replace("deadline_hours: 1", "deadline_hours: 0.00001"))
    silent = SimpleNamespace(response_received=False, chosen_options=None, responded_at=datetime.now(UTC))
    for name, answer in (("get_hitl_detail_content_detail", silent), ("update_hitl_detail_response", silent)):
        monkeypatch.setattr(f"airflow.providers.standard.triggers.hitl.{name}", lambda answer=answer, **_: answer)
    monkeypatch.setattr("airloop_airflow.approval.upsert_hitl_detail", lambda **_: None)
    done = promotion().test(run_conf={"sequence": 4})
    assert (done.state, states(done)["promote"]) == ("success", "skipped")
    entry = ledger.history(asked, "toy").answer_to(4)
    assert entry is not None
    assert (entry.kind, entry.payload["who"]) == ("rejected", "deadline")


def test_the_triggerer_makes_the_same_trigger_again() -> None:
    path, given = trigger().serialize()
    assert path == f"{Answers.__module__}.{Answers.__qualname__}"
    assert Answers(**given).serialize() == (path, given)
    assert issubclass(Answers, HITLTrigger)
