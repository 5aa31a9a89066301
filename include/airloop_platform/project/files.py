"""All files of a project, by path below it."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airloop.authoring.scaffold import Draft
from airloop_platform.project import shipped
from airloop_platform.project.start import FEEDS, Start
from airloop_platform.project.texts import render

_PLACES = {
    "Makefile": "Makefile",
    "README.md": "README.md",
    "requirements.txt": "requirements.txt",
    "requirements-dev.txt": "requirements-dev.txt",
    "pyproject.toml": "pyproject.toml",
    "gitignore": ".gitignore",
    "dockerignore": ".dockerignore",
    "Dockerfile": "Dockerfile",
    "ci.yml": ".github/workflows/ci.yml",
    "test_dags.py": "tests/test_dags.py",
    "test_pipeline.py": "tests/test_{pipeline}.py",
}
_CLONES_FOLDER = "/opt/airloop/include/airloop_platform/airflow_config"
_IMAGES_FOLDER = "/opt/airloop/airflow_config"


@dataclass(frozen=True)
class ProjectParts:
    """What the files are made of.

    Attributes:
        title: The folder's name.
        wheel: What airloop is installed from; None for a package index.
        pipeline_files: See start.pipeline_files.
    """

    title: str
    wheel: Path | None
    start: Start
    draft: Draft
    pipeline_files: dict[str, bytes]


def for_airflow(parts: ProjectParts) -> dict[str, bytes]:
    """What an existing Airflow project lacks: DAG files, plugin, feature repository, the pipeline, airloop's wheel."""
    wheel = {f"wheels/{parts.wheel.name}": parts.wheel.read_bytes()} if parts.wheel else {}
    return {**shipped.thin_files(), **parts.pipeline_files, **wheel}


def whole_project(parts: ProjectParts) -> dict[str, bytes]:
    """Everything."""
    values = _values(parts)
    rendered = {
        place.format(pipeline=parts.start.pipeline): render(template, **values).encode()
        for template, place in _PLACES.items()
    }
    compose = {
        "docker-compose.yml": _compose(parts.title).encode(),
        ".env.example": shipped.text(".env.example").encode(),
    }
    return {**for_airflow(parts), **rendered, **compose}


def slug(title: str) -> str:
    """A folder's name as Compose takes it for a project and an image."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "airloop-project"


def _values(parts: ProjectParts) -> dict[str, Any]:
    start, plan = parts.start, parts.draft.plan
    return {
        "title": parts.title,
        "pipeline": start.pipeline,
        "wheel": parts.wheel is not None,
        "version": shipped.version(),
        "table": f'"{start.table.name}"',
        "table_name": start.table.name,
        "about": start.about,
        "is_example": bool(start.about),
        "label": parts.draft.roles.label,
        "feed_names": FEEDS,
        "land_options": "".join(f" {shlex.quote(word)}" for word in start.dialect.options()).replace("$", "$$"),
        "feeds": "(" + ", ".join(f'"{feed}"' for feed in FEEDS) + ")",
        "options": repr(start.dialect.options()).replace("'", '"'),
        "cutoff": f"{plan.cutoff:%Y-%m-%dT%H:%M:%SZ}",
        "scored_until": f"{plan.scored_until:%Y-%m-%dT%H:%M:%SZ}" if plan.scored_until else "",
    }


def _compose(title: str) -> str:
    """The clone's services under the project's own name, from the image of its Dockerfile."""
    text = shipped.text("docker-compose.yml").replace(_CLONES_FOLDER, _IMAGES_FOLDER)
    text = re.sub(
        r"^# .*\n", f"# {title} on PostgreSQL, Redis and CeleryExecutor; it needs a .env: see .env.example.\n", text
    )
    text = re.sub(r"^name: .*$", f"name: {slug(title)}", text, count=1, flags=re.MULTILINE)
    return re.sub(r"^  image: airloop:.*$", f"  image: {slug(title)}:1", text, count=1, flags=re.MULTILINE)
