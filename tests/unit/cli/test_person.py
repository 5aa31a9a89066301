"""Who types a command is the account of the machine; what the environment says about it counts for nothing."""

import os
import pwd

import pytest
from tests.support import toy, toy_sql
from tests.support.command import Airloop
from tests.support.ledger_entries import decided

from airloop.cli.person import decides, login_name
from airloop.settings import Settings
from airloop.stores import ledger

CLAIMS = ("LOGNAME", "USER", "LNAME", "USERNAME")
AT = toy.days(0, 40).end


def account() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def claim(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for variable in CLAIMS:
        monkeypatch.setenv(variable, name)


def test_a_name_that_the_environment_claims_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, "anna")
    assert login_name() == account()


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 987_654)
    assert login_name() == "uid 987654"


def test_a_name_that_is_given_stands_beside_the_account() -> None:
    assert decides("") == decides(account()) == account()
    assert decides("anna") == f"anna (account {account()})"


def test_nobody_approves_under_a_name_that_is_another_persons(
    airloop: Airloop, toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_sql.declare(toy_settings, "monitoring:", "approval: {when: always, by: [anna]}\nmonitoring:")
    number = decided(toy_settings, "toy", 1, at=AT)
    claim(monkeypatch, "anna")
    refused = airloop("approve", "toy", str(number), "--why", "checked")
    assert (refused.code, f"{account()} cannot approve decision {number}" in refused.err) == (1, True)
    assert ledger.entries(toy_settings, "toy", kind="approved") == ()


def test_nobody_approves_what_they_started_under_another_name(
    airloop: Airloop, toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_sql.declare(toy_settings, "monitoring:", "approval: {when: always}\nmonitoring:")
    own, other = (
        decided(toy_settings, "toy", version, at=AT, asked_by=who) for version, who in enumerate((account(), "anna"), 1)
    )
    claim(monkeypatch, "boris")
    refused = airloop("approve", "toy", str(own), "--why", "checked")
    assert (refused.code, f"{account()} started this and cannot approve" in refused.err) == (1, True)
    approved = airloop("approve", "toy", str(other), "--why", "checked")
    assert f"decision {other} is approved by {account()}" in approved.out
