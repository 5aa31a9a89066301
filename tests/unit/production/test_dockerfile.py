"""The image: pinned, installed from hashes, not root, healthy or not, and without anything that is not needed in it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import compose_file

ROOT = Path(__file__).resolve().parents[3]


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, the rest) in order, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word.upper(), rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def unpinned(text: str) -> list[str]:
    images = [rest.split()[0] for word, rest in instructions(text) if word == "FROM"]
    return [image for image in images if not compose_file.PINNED.fullmatch(image)]


def unlocked(text: str) -> list[str]:
    """Installations of anything but uv itself and the project that are not from hashes."""
    runs = [step for word, rest in instructions(text) if word == "RUN" for step in rest.split("&&")]
    installs = [step.strip() for step in runs if re.search(r"\b(pip|apt-get|apk|npm|curl|wget)\b", step)]
    ours = re.compile(r"(python -m pip install [\w -]* uv==\d+\.\d+\.\d+)|(uv pip install .*--no-deps .*--editable \.)")
    locked = re.compile(r"uv pip install .*--require-hashes --compile-bytecode -r requirements/production\.lock")
    return [step for step in installs if not ours.fullmatch(step) and not locked.fullmatch(step)]


def runs_as_root(text: str) -> list[str]:
    last_stage = text[text.rindex("\nFROM ") :]
    users = [rest for word, rest in instructions(last_stage) if word == "USER"]
    return [] if users and re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]) else [str(users)]


def without_health(text: str) -> list[str]:
    last_stage = text[text.rindex("\nFROM ") :]
    return [] if any(word == "HEALTHCHECK" and "CMD" in rest for word, rest in instructions(last_stage)) else ["none"]


def baked_secrets(text: str) -> list[str]:
    set_here = [rest for word, rest in instructions(text) if word in ("ENV", "ARG", "LABEL")]
    return [rest for rest in set_here if re.search(r"PASSWORD|SECRET|TOKEN|_KEY", rest)]


def remote_files(text: str) -> list[str]:
    return [rest for word, rest in instructions(text) if word == "ADD" or (word == "COPY" and "://" in rest)]


RULES = (unpinned, unlocked, runs_as_root, without_health, baked_secrets, remote_files)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_image_keeps_the_rule(rule: Callable[[str], list[str]]) -> None:
    assert rule(dockerfile()) == []


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        (unpinned, "FROM python:3.11.14-slim-bookworm\n", "FROM python:3.11-slim\n"),
        (unlocked, "--require-hashes ", ""),
        (unlocked, "--compile-bytecode ", ""),
        (unlocked, "uv==0.13.9", "uv"),
        (unlocked, "RUN groupadd", "RUN apt-get update && groupadd"),
        (runs_as_root, "USER 10001:10001\n", ""),
        (runs_as_root, "USER 10001:10001\n", "USER 0:0\n"),
        (without_health, "HEALTHCHECK", "# HEALTHCHECK"),
        (baked_secrets, "HOME=/tmp\n", "HOME=/tmp ADMIN_PASSWORD=x\n"),
        (remote_files, "COPY include include\n", "ADD https://example.org/x include\n"),
    ],
)
def test_an_image_that_breaks_a_rule_is_refused(rule: Callable[[str], list[str]], old: str, new: str) -> None:
    assert old in dockerfile()
    assert rule(dockerfile().replace(old, new)) != []


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    first_stage = dockerfile()[: dockerfile().rindex("\nFROM ")]
    copied = [part for word, rest in instructions(first_stage) if word == "COPY" for part in rest.split()[:-1]]
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(sent)
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_nothing_else_is_sent_to_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert lines[-1] == "**/.env*"


def test_the_image_and_the_services_agree_on_user_paths_and_version() -> None:
    (given,) = [rest for word, rest in instructions(dockerfile()) if word == "ENV"]
    image = dict(part.split("=", 1) for part in given.split())
    worker = compose_file.parse(compose_file.text())["services"]["worker"]
    shared = {name: value for name, value in image.items() if name in worker["environment"]}
    assert shared.keys() == {"PYTHONPATH", "AIRLOOP_HOME", "AIRLOOP_PROJECT_DIR"}
    assert {name: worker["environment"][name] for name in shared} == shared
    assert f"\nUSER {worker['user']}\n" in dockerfile()
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert worker["image"] == f"airloop:{version[1]}"
    assert f'image.version="{version[1]}"' in dockerfile()


def test_the_volumes_belong_to_the_images_user() -> None:
    (made,) = [rest for word, rest in instructions(dockerfile()) if word == "RUN" and "install --directory" in rest]
    services = compose_file.parse(compose_file.text())["services"]
    ours = [service for service in services.values() if service["image"].startswith("airloop:")]
    mounted = {volume.rsplit(":", 1)[1] for service in ours for volume in service["volumes"]}
    assert mounted == {"/airloop", "/airloop/landing", "/airflow-login", "/mlflow-login"}
    assert [folder for folder in mounted if folder not in made.split()] == []
