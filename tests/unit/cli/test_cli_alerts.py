"""`airloop alerts list`: what is open, worst first, as a table or JSON."""

import json
from datetime import UTC, datetime

from tests.support.command import Airloop

from airloop.records import Alert
from airloop.settings import Settings
from airloop.stores import alerts

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def keep(settings: Settings, severity: str, what: str) -> None:
    alert = Alert("run_failed", what, severity, what, "no [red]file[/]", "run 1", "", "Land it.")
    alerts.note(settings, "toy", [alert], now=NOW)


def test_open_alerts_stand_worst_first_with_what_to_do(toy_settings: Settings, airloop: Airloop) -> None:
    keep(toy_settings, "info", "asked")
    keep(toy_settings, "critical", "failed")
    shown = airloop("alerts", "list")
    assert shown.code == 0
    assert shown.out.index("failed") < shown.out.index("asked")
    assert "[red]file[/]" in shown.out
    assert "toy: Land it." in shown.out
    assert [item["what"] for item in json.loads(airloop("alerts", "list", "toy", "--json").out)] == ["failed", "asked"]


def test_without_alerts_it_says_so_and_an_unknown_pipeline_is_refused(airloop: Airloop) -> None:
    assert airloop("alerts", "list", "toy").out.strip() == "no open alerts"
    assert airloop("alerts", "list", "tou").code == 1
