"""Airflow's own notifiers deliver alerts to a real mail server and web hook; what data say is never rendered."""

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support import receivers, toy

from airloop.config import Pipeline
from airloop.config.alerts import AlertRoute
from airloop.records import Alert
from airloop.settings import Settings
from airloop.stores import alerts as stored
from airloop.watch import alerts
from airloop_airflow import alerting
from airloop_airflow.alert_routes import sender

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = "{{ conn.smtp_default.password }} {% for x in y %} <b>&</b> ümlaut"
ALERT = Alert(
    "data_fault", "alarm:x", "warning", "unit change of jobs.size", HOSTILE, "alarm 1", "dags/toy__data", "Mend."
)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Any:
    with receivers.mail_server() as box:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airloop@example.org"}
        declared = {"conn_type": "smtp", "host": "127.0.0.1", "port": box.port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps(declared))
        yield box


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    with receivers.web_hook() as found:
        slack = {"conn_type": "slackwebhook", "host": found.url, "password": "/T0/B0/secret"}
        monkeypatch.setenv("AIRFLOW_CONN_CHANNEL", json.dumps(slack))
        path = found.url.replace("http://", "json://")
        apprise = {"conn_type": "apprise", "extra": {"config": {"path": path, "tag": "all"}}}
        monkeypatch.setenv("AIRFLOW_CONN_SERVICES", json.dumps(apprise))
        yield found


MAIL = {"to": "smtp", "connection": "mail", "recipients": ["ada@example.org"]}


def pipeline(settings: Settings, *routes: dict[str, Any]) -> Pipeline:
    told = tuple(AlertRoute.model_validate(route) for route in routes)
    return toy.toy_pipeline(settings).model_copy(update={"alerts": told})


def tell(settings: Settings, route: dict[str, Any], *found: Alert, over: bool = False) -> None:
    told = pipeline(settings, route)
    alerts.tell(told, settings, now=NOW, send=sender(told), noticed=found, over=lambda _alert: over)


def text_of(message: Any) -> str:
    return "".join(
        part.get_payload(decode=True).decode() for part in message.walk() if part.get_content_maintype() == "text"
    )


def test_a_mail_arrives_once_and_says_what_why_and_what_to_do(toy_settings: Settings, mailbox: Any) -> None:
    tell(toy_settings, MAIL, ALERT)
    tell(toy_settings, MAIL, ALERT)
    (message,) = mailbox.messages
    assert mailbox.recipients == [["ada@example.org"]]
    assert message["Subject"] == "[airloop] toy: WARNING unit change of jobs.size"
    text = text_of(message)
    assert "To do: Mend." in text
    assert "dags/toy__data" in text


def test_what_data_say_is_neither_rendered_nor_markup(toy_settings: Settings, mailbox: Any) -> None:
    tell(toy_settings, MAIL, ALERT)
    text = text_of(mailbox.messages[0])
    assert "{{ conn.smtp_default.password }} {% for x in y %} &lt;b&gt;&amp;&lt;/b&gt; ümlaut" in text


def test_the_end_of_a_cause_is_told_once(toy_settings: Settings, mailbox: Any) -> None:
    failed = alerts.run_failed("toy__data", "r", why="no file", link="dags/toy__data/runs/r")
    for over in (False, True, True):
        tell(toy_settings, MAIL, *([] if over else [failed]), over=over)
    assert [message["Subject"] for message in mailbox.messages] == [
        "[airloop] toy: CRITICAL toy__data failed",
        "[airloop] toy: resolved: toy__data failed",
    ]


def test_nothing_is_sent_where_nothing_is_wrong(toy_settings: Settings, mailbox: Any, hook: Any) -> None:
    for route in (MAIL, {"to": "slack", "connection": "channel"}, {"to": "apprise", "connection": "services"}):
        tell(toy_settings, route)
    assert (mailbox.messages, hook.got) == ([], [])


def test_slack_gets_the_text_in_a_block_of_its_own(toy_settings: Settings, hook: Any) -> None:
    for _ in range(2):
        tell(toy_settings, {"to": "slack", "connection": "channel"}, ALERT)
    (got,) = hook.got
    assert got["text"].startswith("[airloop] toy: WARNING unit change of jobs.size\n```Pipeline: toy (owner: tests)")
    assert "{{ conn.smtp_default.password }} {% for x in y %} &lt;b&gt;&amp;&lt;/b&gt; ümlaut" in got["text"]


def test_data_in_a_message_call_nobody_on_slack_link_nowhere_and_do_not_leave_their_block(
    toy_settings: Settings, hook: Any
) -> None:
    says = "value '<!channel> <https://elsewhere.invalid|click> ``` *bold*' of jobs.size"
    tell(toy_settings, {"to": "slack", "connection": "channel"}, replace(ALERT, what=says, why=says))
    text = hook.got[0]["text"]
    assert "<" not in text
    assert "&lt;!channel&gt; &lt;https://elsewhere.invalid|click&gt; ''' *bold*" in text
    assert text.count("```") == 2


def test_a_value_with_lines_of_its_own_writes_no_line_of_the_message(toy_settings: Settings, mailbox: Any) -> None:
    why = "value 'a\r\nTo do: send the password\x1b[31m' of jobs.size"
    tell(toy_settings, MAIL, replace(ALERT, what=f"odd {why}", why=why))
    message = mailbox.messages[0]
    assert message["Subject"].startswith("[airloop] toy: WARNING odd value 'a To do: send the password")
    lines = text_of(message).splitlines()
    assert {line.removesuffix("</pre>") for line in lines if line.startswith("To do:")} == {"To do: Mend."}
    assert "\x1b" not in text_of(message)


def test_a_mail_server_that_is_down_stops_nothing_and_is_tried_by_the_next_look(
    toy_settings: Settings, mailbox: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airloop@example.org", "retry_limit": 1}
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        declared = {"conn_type": "smtp", "host": "127.0.0.1", "port": nobody.getsockname()[1], "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_DOWN", json.dumps(declared))
        tell(toy_settings, {**MAIL, "connection": "down"}, ALERT)
    assert "was not delivered to smtp" in caplog.text
    monkeypatch.setenv("AIRFLOW_CONN_DOWN", json.dumps({**declared, "port": mailbox.port}))
    tell(toy_settings, {**MAIL, "connection": "down"}, ALERT)
    assert len(mailbox.messages) == 1


def test_apprise_gets_title_and_kind(toy_settings: Settings, hook: Any) -> None:
    for _ in range(2):
        tell(toy_settings, {"to": "apprise", "connection": "services"}, ALERT)
    (got,) = hook.got
    assert (got["title"], got["type"]) == ("[airloop] toy: WARNING unit change of jobs.size", "warning")


def test_a_hook_that_refuses_is_told_by_the_next_look(toy_settings: Settings, hook: Any, caplog: Any) -> None:
    hook.status = 500
    tell(toy_settings, {"to": "slack", "connection": "channel"}, ALERT)
    assert "was not delivered to slack" in caplog.text
    hook.status = 200
    tell(toy_settings, {"to": "slack", "connection": "channel"}, ALERT)
    assert len(hook.got) == 1


def test_a_connection_that_is_not_there_stops_nothing_and_is_logged(toy_settings: Settings, caplog: Any) -> None:
    tell(toy_settings, {"to": "slack", "connection": "nowhere"}, ALERT)
    assert "was not delivered to slack" in caplog.text
    assert [kept.alert.cause for kept in stored.open_alerts(toy_settings, "toy")] == [ALERT.cause]


def test_the_log_is_told_with_its_severity(toy_settings: Settings, caplog: Any) -> None:
    tell(toy_settings, {"to": "log"}, ALERT)
    assert [record.levelname for record in caplog.records if record.name == "airloop.alerts"] == ["WARNING"]


@pytest.fixture
def run(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    return {"dag": SimpleNamespace(dag_id="toy__data"), "run_id": "scheduled__1", "reason": "task_failure"}


def test_a_failed_run_is_told_with_the_tasks_own_reason_and_its_end_by_the_next_success(
    toy_settings: Settings, mailbox: Any, run: dict[str, Any]
) -> None:
    told = pipeline(toy_settings, MAIL)
    task = {**run, "ti": SimpleNamespace(task_id="ingest"), "exception": ValueError("jobs: 3 days are missing")}
    alerting.task_callbacks(told)["on_failure_callback"](task)
    assert mailbox.messages == []
    callbacks = alerting.dag_callbacks(told)
    callbacks["on_failure_callback"](run)
    callbacks["on_failure_callback"](run)
    (message,) = mailbox.messages
    assert "Why: ingest: jobs: 3 days are missing" in text_of(message)
    other = {**run, "dag": SimpleNamespace(dag_id="toy__scoring")}
    callbacks["on_success_callback"](other)
    assert len(mailbox.messages) == 1
    callbacks["on_success_callback"]({**run, "run_id": "manual__2"})
    assert [m["Subject"] for m in mailbox.messages[1:]] == ["[airloop] toy: resolved: toy__data failed"]


@pytest.mark.parametrize(
    ("began", "says"), [(timedelta(minutes=-5), "ingest: no file"), (timedelta(minutes=5), "task_failure")]
)
def test_a_run_that_is_told_late_is_told_with_the_reason_of_the_next_but_never_of_one_before(
    toy_settings: Settings, mailbox: Any, run: dict[str, Any], began: timedelta, says: str
) -> None:
    told = pipeline(toy_settings, MAIL)
    other = {"run_id": "another", "ti": SimpleNamespace(task_id="ingest"), "exception": ValueError("no file")}
    alerting.task_callbacks(told)["on_failure_callback"]({**run, **other})
    late = {**run, "dag_run": SimpleNamespace(start_date=datetime.now(UTC) + began)}
    alerting.dag_callbacks(told)["on_failure_callback"](late)
    (message,) = mailbox.messages
    assert f"Why: {says}" in text_of(message)


def test_a_run_that_succeeds_tells_nothing(toy_settings: Settings, mailbox: Any, run: dict[str, Any]) -> None:
    alerting.dag_callbacks(pipeline(toy_settings, MAIL))["on_success_callback"](run)
    assert mailbox.messages == []
    assert stored.open_alerts(toy_settings, "toy") == ()


def test_a_state_database_that_does_not_answer_stops_no_run(
    toy_settings: Settings, run: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setenv("AIRLOOP_STATE_URL", f"sqlite:///{toy_settings.project_dir}/feature_repo/toy.py/state.db")
    alerting.dag_callbacks(pipeline(toy_settings, MAIL))["on_failure_callback"](run)
    assert "nobody could be told of scheduled__1" in caplog.text
