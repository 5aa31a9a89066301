"""docker-compose.yml: valid by the specification, and nothing open, unpinned, privileged or with a default password."""

import base64
import json
import subprocess
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support import compose_file

CHECKS = (
    compose_file.unpinned_images,
    compose_file.open_ports,
    compose_file.without_healthcheck,
    compose_file.without_restart,
    compose_file.without_limits,
    compose_file.privileged,
    compose_file.writable,
    compose_file.default_passwords,
)
SCHEMA = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
VALID = jsonschema.Draft202012Validator(SCHEMA)


def compose() -> dict[str, Any]:
    return compose_file.parse(compose_file.text())


def test_the_file_is_valid_by_the_compose_specification() -> None:
    filled = compose_file.interpolated(compose(), dict.fromkeys(compose_file.variables(compose_file.text()), "1"))
    for file in (compose(), filled):
        assert [error.message for error in VALID.iter_errors(file)] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file["services"]["redis"].update(imagee="redis:7.2.10"),
        lambda file: file["services"]["redis"].update(ports={"a": 1}),
        lambda file: file["services"]["redis"]["healthcheck"].update(interval=[1]),
        lambda file: file.update(service={}),
    ],
)
def test_the_specification_refuses_what_it_does_not_know(spoil: Callable[[dict[str, Any]], None]) -> None:
    file = compose()
    spoil(file)
    assert list(VALID.iter_errors(file)) != []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_service_keeps_the_rule(check: Callable[[Mapping[str, Any]], list[str]]) -> None:
    assert check(compose()) == []


@pytest.mark.parametrize(
    ("check", "service", "changes"),
    [
        (compose_file.unpinned_images, "redis", {"image": "redis"}),
        (compose_file.unpinned_images, "redis", {"image": "redis:latest"}),
        (compose_file.unpinned_images, "redis", {"image": "redis:7"}),
        (compose_file.unpinned_images, "redis", {"image": "redis:7.2-bookworm"}),
        (compose_file.unpinned_images, "postgres", {"image": "postgres:17-bookworm"}),
        (compose_file.unpinned_images, "worker", {"image": "airloop"}),
        (compose_file.open_ports, "api-server", {"ports": ["8080:8080"]}),
        (compose_file.open_ports, "api-server", {"ports": ["0.0.0.0:8080:8080"]}),
        (compose_file.open_ports, "mlflow", {"ports": ["127.0.0.1:5000:5000", 5001]}),
        (compose_file.open_ports, "postgres", {"network_mode": "host"}),
        (compose_file.without_healthcheck, "worker", {"healthcheck": None}),
        (compose_file.without_healthcheck, "worker", {"healthcheck": {"disable": True}}),
        (compose_file.without_restart, "worker", {"restart": "no"}),
        (compose_file.without_restart, "migration", {"restart": "always"}),
        (compose_file.without_limits, "worker", {"deploy": {}}),
        (compose_file.privileged, "worker", {"user": None}),
        (compose_file.privileged, "worker", {"user": "0:0"}),
        (compose_file.privileged, "worker", {"user": "root"}),
        (compose_file.privileged, "worker", {"privileged": True}),
        (compose_file.privileged, "redis", {"cap_drop": ["NET_RAW"]}),
        (compose_file.privileged, "redis", {"cap_add": ["SYS_ADMIN"]}),
        (compose_file.privileged, "redis", {"security_opt": []}),
        (compose_file.writable, "scheduler", {"read_only": None}),
        (compose_file.writable, "scheduler", {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]}),
        (compose_file.default_passwords, "redis", {"environment": {"REDIS_PASSWORD": "redis"}}),
        (compose_file.default_passwords, "redis", {"environment": {"REDIS_PASSWORD": "${REDIS_PASSWORD:-redis}"}}),
        (compose_file.default_passwords, "redis", {"environment": {"REDIS_PASSWORD": "${REDIS_PASSWORD}"}}),
        (compose_file.default_passwords, "worker", {"environment": {"X": "postgresql://u:airflow@postgres/x"}}),
    ],
)
def test_a_service_that_breaks_a_rule_is_named(
    check: Callable[[Mapping[str, Any]], list[str]], service: str, changes: dict[str, Any]
) -> None:
    file = compose()
    changed = file["services"][service] | changes
    file["services"][service] = {key: value for key, value in changed.items() if value is not None}
    assert [found.split(":")[0] for found in check(file)] == [service]


def test_every_variable_is_in_the_example_and_every_secret_is_empty_there() -> None:
    env = compose_file.EXAMPLE.read_text()
    assert compose_file.example_faults(compose_file.text(), env) == []
    assert [
        name for name, value in compose_file.example(env).items() if compose_file.SECRET.search(name) and value
    ] == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("REDIS_PASSWORD=\n", "", "REDIS_PASSWORD is not in .env.example"),
        ("REDIS_PASSWORD=\n", "REDIS_PASSWORD=redis\n", "REDIS_PASSWORD is 'redis', not ''"),
        ("MLFLOW_PORT=5000", "MLFLOW_PORT=5001", "MLFLOW_PORT is '5001', not '5000'"),
        ("LANDING=landing", "LANDING=landing\nMORE=1", "MORE is not in docker-compose.yml"),
    ],
)
def test_an_example_that_does_not_fit_is_found(old: str, new: str, says: str) -> None:
    env = compose_file.EXAMPLE.read_text()
    assert env.count(old) == 1
    assert compose_file.example_faults(compose_file.text(), env.replace(old, new)) == [says]


def test_without_a_secret_nothing_starts() -> None:
    given = compose_file.example(compose_file.EXAMPLE.read_text())
    with pytest.raises(compose_file.Missing):
        compose_file.interpolated(compose(), given)
    secrets = [name for name, value in given.items() if not value]
    assert len(secrets) == 8
    for name in secrets:
        with pytest.raises(compose_file.Missing, match=name):
            compose_file.interpolated(compose(), {**dict.fromkeys(secrets, "x"), name: ""})


def test_the_documented_command_fills_every_secret_with_bytes_of_its_own(tmp_path: Path) -> None:
    env = compose_file.EXAMPLE.read_text()
    (tmp_path / ".env.example").write_text(env)
    (command,) = [line.removeprefix("#").strip() for line in env.splitlines() if "urandom" in line]
    subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True)
    given, made = compose_file.example(env), compose_file.example((tmp_path / ".env").read_text())
    secrets = [made[name] for name, value in given.items() if not value]
    assert len({base64.urlsafe_b64decode(secret) for secret in secrets}) == len(secrets)
    assert {len(base64.urlsafe_b64decode(secret)) for secret in secrets} == {32}
    assert {name: value for name, value in made.items() if given[name]} == {k: v for k, v in given.items() if v}
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert compose_file.interpolated(compose(), made)["services"].keys() == compose()["services"].keys()


def test_the_databases_are_reached_from_inside_only() -> None:
    file = compose()
    assert file["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        service = file["services"][name]
        assert (service["networks"], service.get("ports")) == (["inside"], None)


def test_every_named_volume_and_network_is_declared_and_used() -> None:
    file = compose_file.interpolated(compose(), dict.fromkeys(compose_file.variables(compose_file.text()), "landing"))
    volumes = {volume.split(":")[0] for _, service in compose_file.services(file) for volume in service["volumes"]}
    networks = {network for _, service in compose_file.services(file) for network in service["networks"]}
    assert (volumes, networks) == (set(file["volumes"]), set(file["networks"]))
