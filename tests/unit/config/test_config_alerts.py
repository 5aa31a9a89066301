"""`alerts:` of pipeline.yaml: a route is complete, and a typo names the nearest key."""

from typing import Any

import pytest
from tests.support import toy, toy_fleet

from airloop.config.alerts import AlertRoute
from airloop.errors import ConfigError
from airloop.settings import Settings


def declare(settings: Settings, routes: str) -> None:
    toy_fleet.rewrite(
        settings.pipelines_dir / "toy" / "pipeline.yaml", "owner: tests", f"owner: tests\nalerts: {routes}"
    )


def test_without_the_block_nobody_is_told(toy_settings: Settings) -> None:
    assert toy.toy_pipeline(toy_settings).alerts == ()


@pytest.mark.parametrize(
    "route",
    [
        {"to": "log"},
        {"to": "smtp", "recipients": ["ada@example.org"], "connection": "mail", "severity": "critical"},
        {"to": "slack", "kinds": ["run_failed"]},
        {"to": "apprise", "severity": "info"},
    ],
)
def test_a_complete_route_is_taken(route: dict[str, Any]) -> None:
    assert AlertRoute.model_validate(route).to == route["to"]


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ("[{to: smpt}]", "Input should be 'smtp', 'slack', 'apprise' or 'log'"),
        ("[{to: log, severty: info}]", "severty: unknown key; did you mean 'severity'"),
        ("[{to: smtp}]", "recipients are needed by `to: smtp`"),
        ("[{to: slack, recipients: [a@b.c]}]", "recipients are needed by `to: smtp`"),
        ("[{to: smtp, recipients: [nobody]}]", "should match pattern"),
        ("[{to: slack, connection: 'https://hooks.example.org/T0/secret'}]", "should match pattern"),
        ("[{to: log, connection: mail}]", "needs no connection"),
        ("[{to: log, kinds: [run_faild]}]", "kinds.0: Input should be 'run_failed'"),
    ],
)
def test_a_route_that_can_reach_nobody_is_refused(toy_settings: Settings, routes: str, says: str) -> None:
    declare(toy_settings, routes)
    with pytest.raises(ConfigError, match=says) as refused:
        toy.toy_pipeline(toy_settings)
    assert "pipeline.yaml:" in str(refused.value)
