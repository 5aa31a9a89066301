"""API keys: shown once, kept as a hash, refused without their scope, and gone within two seconds of a revocation."""

import json
import sqlite3

import pytest
from tests.support import served_toy
from tests.support.served_toy import EXPLICIT, ask, wait_for

from airloop.errors import ConfigError
from airloop.stores import api_keys, state, tables


@pytest.fixture
def locked(served):
    """A service that asks for keys."""
    with served_toy.running(served, open_to_all=False) as client:
        yield client


def made(client, *scopes):
    """A key that the service knows by now."""
    key, kept = api_keys.create(client.service.settings, "site", scopes)
    wait_for(lambda: kept.id in client.service._keys or client.service._read_keys())
    return key, kept


def bearer(key):
    return {"headers": {"Authorization": f"Bearer {key}"}}


def test_a_key_of_the_scope_is_let_in_by_either_header(locked):
    key, _ = made(locked, "predict")
    assert ask(locked, {"features": EXPLICIT}, **bearer(key)).status_code == 200
    assert ask(locked, {"features": EXPLICIT}, headers={"X-API-Key": key}).status_code == 200


def test_no_key_a_strange_one_and_one_changed_by_a_letter_are_refused(locked):
    key, kept = made(locked, "predict")
    changed = key[:-1] + ("A" if key[-1] != "A" else "B")
    for options in ({}, bearer("x"), bearer("nonsense"), bearer(changed), bearer(f"airloop_{kept.id}_"), bearer("é")):
        if "é" in str(options):
            options = {"headers": {"Authorization": "Bearer é".encode()}}
        answer = ask(locked, {"features": EXPLICIT}, **options)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_of_another_scope_is_refused_and_told_which_one(locked):
    feedback, _ = made(locked, "feedback")
    answer = ask(locked, {"features": EXPLICIT}, **bearer(feedback))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_scope")
    assert "--scope predict" in answer.json()["error"]["message"]
    assert locked.get("/metrics", **bearer(feedback)).status_code == 403
    admin, _ = made(locked, "admin")
    assert locked.get("/metrics", **bearer(admin)).status_code == 200
    assert ask(locked, {"features": EXPLICIT}, **bearer(admin)).status_code == 200


def test_health_needs_no_key(locked):
    for path in ("/livez", "/readyz", "/ping", "/health", "/version", "/v2/health/live", "/v2/health/ready"):
        assert locked.get(path).status_code == 200


def test_a_revoked_key_is_refused_within_two_seconds(locked):
    key, kept = made(locked, "predict")
    assert ask(locked, {"features": EXPLICIT}, **bearer(key)).status_code == 200
    api_keys.revoke(locked.service.settings, kept.id)
    wait_for(lambda: ask(locked, {"features": EXPLICIT}, **bearer(key)).status_code == 401, seconds=2)


def test_a_key_that_a_process_makes_for_itself_works_as_long_as_it_asks_and_leaves_nothing(locked):
    settings = locked.service.settings
    theirs, _ = made(locked, "predict")
    with api_keys.own(settings, "replay", ["predict"]) as key:
        wait_for(lambda: ask(locked, {"features": EXPLICIT}, **bearer(key)).status_code == 200, seconds=2)
        assert locked.get("/metrics", **bearer(key)).status_code == 403
        assert [kept.name for kept in api_keys.listed(settings)] == ["site", "replay"]
    assert [kept.name for kept in api_keys.listed(settings)] == ["site"]
    wait_for(lambda: ask(locked, {"features": EXPLICIT}, **bearer(key)).status_code == 401, seconds=2)
    assert ask(locked, {"features": EXPLICIT}, **bearer(theirs)).status_code == 200


def test_the_key_of_a_process_that_was_killed_goes_with_the_next_one_and_nobody_elses(served):
    _, person = api_keys.create(served, "replay", ["predict"])
    killed, running = api_keys.own(served, "replay", ["predict"]), api_keys.own(served, "replay", ["predict"])
    killed.__enter__()
    left = api_keys.listed(served)[-1]
    running.__enter__()
    with state.transaction(served) as connection:
        connection.execute(tables.api_keys.update().values(created_at="2020-01-01T00:00:00Z"))
        late = tables.api_keys.c.id.not_in([person.id, left.id])
        connection.execute(tables.api_keys.update().where(late).values(created_at=person.created_at))
    with api_keys.own(served, "replay", ["predict"]):
        ids = [kept.id for kept in api_keys.listed(served)]
    assert len(ids) == 3
    assert person.id in ids
    assert left.id not in ids


def test_only_the_hash_is_kept(served, tmp_path):
    key, kept = api_keys.create(served, "site", ["predict"])
    secret = key.split("_", 2)[2]
    assert len(secret) >= 43
    assert secret.encode() not in (tmp_path / "state.db").read_bytes()
    with sqlite3.connect(tmp_path / "state.db") as database:
        stored = database.execute("SELECT sha256 FROM api_keys WHERE id = ?", [kept.id]).fetchone()[0]
    database.close()
    assert len(stored) == 64
    assert stored not in key


@pytest.mark.parametrize(
    ("name", "scopes", "says"),
    [
        ("a", ["predct"], "did you mean 'predict'?"),
        ("a", [], "a key needs a name"),
        (" ", ["predict"], "needs a name"),
        ("a\x1b[31m", ["predict"], "the name of a key holds the control character"),
        ("\ud800", ["predict"], "the name of a key holds the control character"),
    ],
)
def test_a_key_without_name_or_scope_is_not_made(served, name, scopes, says):
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        api_keys.create(served, name, scopes)


def test_the_command_makes_lists_and_revokes_keys(airloop):
    made = json.loads(airloop("keys", "create", "site", "--scope", "predict", "--json").out)
    assert made["key"].startswith(f"airloop_{made['id']}_")
    listed = airloop("keys", "list", "--json").out
    assert made["key"] not in listed
    assert "sha256" not in listed
    assert airloop("keys", "revoke", made["id"]).code == 0
    assert json.loads(airloop("keys", "list", "--json").out)[0]["revoked_at"]
    wrong = airloop("keys", "revoke", "nobody")
    assert (wrong.code, "there is no key 'nobody'" in wrong.err) == (1, True)


def test_no_keys_is_for_this_machine_only(airloop):
    refused = airloop("serve", "--host", "0.0.0.0", "--no-keys")
    assert refused.code == 1
    assert "listen on 127.0.0.1, or use keys" in " ".join(refused.err.split())
