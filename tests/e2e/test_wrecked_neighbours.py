"""Three pipelines with a typo each on a real platform: their DAGs say it, somebody is told, and the others run.

Runs after test_toy_platform, whose pipeline is the neighbour that goes on.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import receivers, toy, toy_fleet
from tests.support.receivers import Mailbox
from tests.support.waiting import bound, until

from airloop.errors import AirloopError
from airloop.settings import Settings
from airloop.stores import alerts

pytestmark = pytest.mark.e2e

DAYS = range(3)
WINDOW = {"start": toy.text(toy.days(0, 3).start), "end": toy.text(toy.days(0, 3).end)}
WRECKS = ("wreck_yaml", "wreck_sql", "wreck_repo")
GROUPS = ("inbox", "data", "scoring", "monitoring", "training", "promotion")
ROUTE = "alerts: [{to: smtp, connection: e2e_mail, recipients: [ada@example.org]}]"


def wreck(settings: Settings) -> None:
    if not (Path(settings.landing_uri) / "toy").is_dir():
        toy.land(settings, days=DAYS)
    for name in WRECKS:
        folder = toy_fleet.add(settings, name)
        toy_fleet.rewrite(folder / "pipeline.yaml", "owner: tests", f"owner: tests\n{ROUTE}")
        landing = Path(settings.landing_uri)
        for feed in ("jobs", "heat", "machines", "failures"):
            for path in sorted((landing / "toy" / feed).glob("*.csv"))[: len(DAYS)]:
                (landing / name / feed).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, landing / name / feed / path.name)
    toy_fleet.rewrite(settings.pipelines_dir / "wreck_sql" / "features.sql", "machine, celsius,", "machine, celsus,")
    live = settings.pipelines_dir / "wreck_repo" / "pipeline.yaml"
    toy_fleet.rewrite(live, "{start: 2020-01-01, end: 2020-03-01}", "{start: 2020-01-01}")
    toy_fleet.rewrite(settings.feature_repo_dir / "wreck_repo.py", "job = Entity", "job == Entity")
    # Last: its DAGs are seen with those of the others.
    toy_fleet.rewrite(settings.pipelines_dir / "wreck_yaml" / "pipeline.yaml", "calendar: daily", "calender: daily")


@pytest.fixture(scope="module")
def mailbox(platform) -> Iterator[Mailbox]:
    """A mail server that Airflow has a connection to."""
    with receivers.mail_server() as box:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airloop@example.org"}
        declared = {"connection_id": "e2e_mail", "conn_type": "smtp", "host": "127.0.0.1", "port": box.port}
        answer = platform.client._call("POST", "connections", json={**declared, "extra": json.dumps(extra)})
        assert answer.is_success
        yield box


@pytest.fixture(scope="module")
def wrecked(platform, mailbox) -> Iterator[None]:
    """The wrecks beside the toy; their folders are gone afterwards."""
    wreck(platform.settings)
    try:
        with platform.read_again():
            dags = tuple(f"{name}__{group}" for name in WRECKS for group in GROUPS)
            platform.client.wait_for_dags(dags, seconds=bound(120))
        yield
    finally:
        for name in WRECKS:
            shutil.rmtree(platform.settings.pipelines_dir / name)
            (platform.settings.feature_repo_dir / f"{name}.py").unlink()
        platform.touch()


def run(platform, name: str, group: str = "data") -> None:
    started = platform.client.start(f"{name}__{group}", WINDOW)
    platform.client.wait(started, seconds=600, on_tasks=lambda _tasks: None)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("wreck_yaml", r"pipeline\.yaml:\d+: calender: unknown key; did you mean 'calendar'"),
        ("wreck_sql", r"wreck_sql/features\.sql:6, section machine_heat: .*celsus"),
        ("wreck_repo", r"wreck_repo\.py:\d+: cannot be loaded: NameError"),
    ],
)
def test_the_dags_of_a_broken_pipeline_say_what_is_wrong(platform, wrecked, name, says) -> None:
    with pytest.raises(AirloopError, match=says):
        run(platform, name)


def test_its_neighbours_run(platform, wrecked) -> None:
    run(platform, "toy")
    run(platform, "toy", "scoring")


def test_the_owner_is_told_once_with_the_reason(platform, wrecked, mailbox) -> None:
    def told() -> list[str]:
        return [message["Subject"] for message in mailbox.messages]

    wanted = "[airloop] wreck_sql: CRITICAL wreck_sql__data failed"
    assert until(lambda: wanted in told(), seconds=180, every=1)
    with pytest.raises(AirloopError, match="celsus"):
        run(platform, "wreck_sql")
    (kept,) = alerts.open_alerts(platform.settings, "wreck_sql")
    seen = kept.seen_at
    assert until(lambda: alerts.open_alerts(platform.settings, "wreck_sql")[0].seen_at >= seen, seconds=60, every=1)
    assert told().count(wanted) == 1
    text = "".join(
        part.get_payload(decode=True).decode()
        for message in mailbox.messages
        if message["Subject"] == wanted
        for part in message.walk()
        if part.get_content_maintype() == "text"
    )
    assert "celsus" in text
    assert "/dags/wreck_sql__data/runs/" in text


def test_it_is_told_that_it_is_over_when_the_typo_is_mended(platform, wrecked, mailbox) -> None:
    path = platform.settings.pipelines_dir / "wreck_sql" / "features.sql"
    toy_fleet.rewrite(path, "machine, celsus,", "machine, celsius,")
    run(platform, "wreck_sql")
    over = "[airloop] wreck_sql: resolved: wreck_sql__data failed"
    assert until(lambda: over in [message["Subject"] for message in mailbox.messages], seconds=180, every=1)
    assert "run_failed" not in [kept.alert.kind for kept in alerts.open_alerts(platform.settings, "wreck_sql")]


def test_a_stalled_source_and_a_paused_dag_of_a_live_pipeline_are_told_by_the_clock(platform, wrecked, mailbox) -> None:
    client = platform.client
    client.wait_for_dags(("wreck_repo__alerts",), seconds=bound(120))
    client.pause("wreck_repo__scoring", paused=True)
    client.wait(client.start("wreck_repo__alerts", {}), seconds=600, on_tasks=lambda _tasks: None)
    kept = {item.alert.kind for item in alerts.open_alerts(platform.settings, "wreck_repo")}
    assert {"paused", "source_stalled"} <= kept
    subjects = [message["Subject"] for message in mailbox.messages]
    assert any(subject.startswith("[airloop] wreck_repo: CRITICAL no data of") for subject in subjects)
    assert any("wreck_repo__scoring is paused" in subject for subject in subjects)


def test_a_probe_that_triage_did_not_ask_for_is_refused_over_rest(platform) -> None:
    conf = {"cutoff": toy.text(toy.days(0, 36).end), "reason": "probe"}
    with pytest.raises(AirloopError, match=r"reason probe does not count .* train with reason=hand"):
        platform.run("training", conf)
    with pytest.raises(AirloopError, match="reason"):
        platform.client.start("toy__training", conf | {"reason": "prob"})
