"""The toy as an hourly pipeline: its feeds' files cut by hours, named by them or by their day alone."""

from datetime import datetime, timedelta
from pathlib import Path

import yaml

from airloop.config import Pipeline, load_pipeline
from airloop.settings import Settings

FEEDS = {"jobs": "planned_at", "heat": "measured_at", "failures": "ended_at"}


def declare(settings: Settings, *, files: str = "{day}.csv", coverage: str = "", **feed: object) -> Pipeline:
    """Declare the toy anew: hourly, its files named so, every dated feed with these keys besides."""
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared = yaml.safe_load(path.read_text())
    declared["calendar"] = "hourly"
    if coverage:
        declared["coverage"] = {"start": coverage}
    for name in FEEDS:
        keys = {key: value for key, value in feed.items() if name != "failures" or key != "lateness_hours"}
        declared["feeds"][name] |= {"files": files, **keys}
    path.write_text(yaml.safe_dump(declared, sort_keys=False))
    return load_pipeline("toy", settings)


def land(settings: Settings, feed: str, at: datetime, lines: list[str], *, name: str = "") -> Path:
    """One file of an hour; `name` instead of its usual one. Without lines it holds the header alone."""
    headers = {
        "jobs": "job,machine,planned_at,starts_at,size",
        "heat": "machine,measured_at,celsius",
        "failures": "job,ended_at,failed",
    }
    folder = Path(settings.landing_uri) / "toy" / feed
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"{at:%Y-%m-%d}.{at:%H}.csv")
    path.write_text("\n".join([headers[feed], *lines]) + "\n")
    return path


def heat(at: datetime, machine: str = "m0") -> str:
    """A row of that hour."""
    return f"{machine},{at + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ},50.0"
