"""docker-compose.yml as Docker Compose reads it, and what must hold for it: each check returns what breaks its rule."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE, EXAMPLE = ROOT / "docker-compose.yml", ROOT / ".env.example"
ONE_SHOT = ("preparation", "migration")
# An exact version and its variant, or a digest. A tag of fewer numbers moves; PostgreSQL's versions have two.
PINNED = re.compile(r"[\w./-]+(:\d+\.\d+\.\d+(-[a-z][\w.-]*)?|@sha256:[0-9a-f]{64})|postgres:\d+\.\d+(-[a-z]+)?")
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<how>[-?])(?P<word>[^}]*))?\})")
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


class Missing(Exception):
    """A variable without a value and without a default."""


def text() -> str:
    return COMPOSE.read_text(encoding="utf-8")


def parse(content: str) -> dict[str, Any]:
    loaded = yaml.safe_load(content)
    assert isinstance(loaded, dict)
    return loaded


def interpolated(node: Any, values: Mapping[str, str]) -> Any:
    """The tree with its variables filled in, as the specification says.

    Raises:
        Missing: A `${NAME:?...}` or a plain `${NAME}` has no value.
    """
    if isinstance(node, dict):
        return {key: interpolated(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolated(item, values) for item in node]
    return VARIABLE.sub(lambda match: _value(match, values), node) if isinstance(node, str) else node


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    name = match["name"]
    if name is None:
        return "$"
    if values.get(name):
        return values[name]
    if match["how"] != "-":
        raise Missing(name)
    return match["word"]


def variables(content: str) -> dict[str, str | None]:
    """Name -> default (None where the value has to be given) of each variable a file mentions."""
    defaults: dict[str, str | None] = {}
    for item in VARIABLE.finditer(content):
        if item["name"]:
            defaults[item["name"]] = item["word"] if item["how"] == "-" else None
    return defaults


def example(content: str) -> dict[str, str]:
    """The variables of an env file."""
    lines = [line for line in content.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def example_faults(compose: str, env: str) -> list[str]:
    """Every variable of the one is in the other: those that must be given empty, the others with their default."""
    in_compose = {name: default or "" for name, default in variables(compose).items()}
    in_example = example(env)
    both = [name for name in in_compose if name in in_example]
    return [
        *(f"{name} is not in .env.example" for name in in_compose if name not in in_example),
        *(f"{name} is not in docker-compose.yml" for name in in_example if name not in in_compose),
        *(
            f"{name} is {in_example[name]!r}, not {in_compose[name]!r}"
            for name in both
            if in_example[name] != in_compose[name]
        ),
    ]


def services(compose: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from compose["services"].items()


def unpinned_images(compose: Mapping[str, Any]) -> list[str]:
    return [name for name, service in services(compose) if not PINNED.fullmatch(service.get("image", ""))]


def open_ports(compose: Mapping[str, Any]) -> list[str]:
    """Services with a port on anything but 127.0.0.1, or on the host's network."""
    return [
        name
        for name, service in services(compose)
        if service.get("network_mode")
        or any(not str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
    ]


def without_healthcheck(compose: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, service in services(compose)
        if name not in ONE_SHOT and not service.get("healthcheck", {"disable": True}).get("test")
    ]


def without_restart(compose: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, service in services(compose)
        if service.get("restart") != ("no" if name in ONE_SHOT else "unless-stopped")
    ]


def without_limits(compose: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, service in services(compose)
        if "memory" not in service.get("deploy", {}).get("resources", {}).get("limits", {})
    ]


def privileged(compose: Mapping[str, Any]) -> list[str]:
    """Services that run as root, or may become more than they are."""
    return [
        name
        for name, service in services(compose)
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service.get("user", "")))
        or service.get("privileged")
        or service.get("cap_add")
        or service.get("cap_drop") != ["ALL"]
        or "no-new-privileges:true" not in service.get("security_opt", [])
    ]


def writable(compose: Mapping[str, Any]) -> list[str]:
    """Services whose own file system is not read-only, or that see the host's."""
    return [
        name
        for name, service in services(compose)
        if service.get("read_only") is not True
        or any(str(volume).startswith(("/", ".", "~")) for volume in service.get("volumes", []))
    ]


def default_passwords(compose: Mapping[str, Any]) -> list[str]:
    """Values of secret variables, and passwords in URLs, that are not demanded from the environment."""
    names = []
    for name, service in services(compose):
        for variable, value in service.get("environment", {}).items():
            in_url = re.search(r"://[^/@:]*:(?P<password>[^@]*)@", str(value))
            secret = in_url["password"] if in_url else value if SECRET.search(variable) else "${X:?}"
            if not re.fullmatch(r"\$\{\w+:\?[^}]*\}", str(secret)) and not str(value).startswith("/"):
                names.append(f"{name}: {variable}")
    return names
