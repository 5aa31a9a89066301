"""The toy by the hour, beside it: `hours`, a world that stays, and `changed_hours`, in which size stops to matter.

Each hour has a file of its own of each feed: twelve jobs, an hour's readings, and what became of the jobs.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from tests.support import toy

from airloop.records import Window
from airloop.settings import Settings

STAYS, CHANGES = "hours", "changed_hours"
CHANGED_FROM = 24
"""From this day on a job's size says nothing about its end, in `changed_hours`."""
JOBS_AN_HOUR, MACHINES = 12, 5
DAYS = 48


def declare(settings: Settings) -> None:
    """Write the four files of both pipelines into the toy's checkout."""
    for name in (STAYS, CHANGES):
        declared = yaml.safe_load(toy.PIPELINE)
        declared |= {"name": name, "calendar": "hourly"}
        declared["coverage"] = {"start": toy.START.date(), "end": (toy.START + timedelta(days=DAYS)).date()}
        for feed in ("jobs", "heat", "failures"):
            declared["feeds"][feed]["files"] = "{day}T{hour}.csv"
        declared["features"]["lookback_days"] = 1
        # The probe adapts within days, and a look judges the newest two weeks: a change is seen within them.
        declared["training"] |= {"history_days": 5, "leak_check_times": 1}
        declared["monitoring"] |= {"over_days": 14, "probe_every_days": 3}
        del declared["training"]["candidates"]["gradient_boosting"]
        folder = settings.pipelines_dir / name
        folder.mkdir(parents=True)
        (folder / "pipeline.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
        (folder / "features.sql").write_text(toy.FEATURES_SQL)
        (folder / "expectations.yaml").write_text(toy.EXPECTATIONS)
        (settings.feature_repo_dir / f"{name}.py").write_text(toy.DEFINITIONS.replace('path="toy/', f'path="{name}/'))


def land(settings: Settings, name: str, until: datetime) -> None:
    """All files of a pipeline's past at once, up to an instant."""
    root = Path(settings.landing_uri) / name
    headers = {
        "jobs": "job,machine,planned_at,starts_at,size",
        "heat": "machine,measured_at,celsius",
        "failures": "job,ended_at,failed",
    }
    _write(root / "machines" / "machines.csv", "machine,built", (f"m{number},{2000 + number}" for number in range(5)))
    hours: dict[str, dict[datetime, list[str]]] = {feed: {} for feed in headers}
    for number in range((until - toy.START) // timedelta(hours=1)):
        for feed, at, line in _rows(number, by_size=name == STAYS or number < CHANGED_FROM * 24):
            hours[feed].setdefault(at.replace(minute=0), []).append(line)
    for feed, files in hours.items():
        for at, lines in files.items():
            _write(root / feed / f"{at:%Y-%m-%dT%H}.csv", headers[feed], lines)


def days(first: int, end: int) -> Window:
    """The window of days [first, end)."""
    return toy.days(first, end)


def hour(day: int, number: int) -> Window:
    """The window of one hour of a day."""
    start = toy.START + timedelta(days=day, hours=number)
    return Window(start, start + timedelta(hours=1))


def _rows(number: int, *, by_size: bool) -> Iterator[tuple[str, datetime, str]]:
    """Feed, event time and line of the rows about one hour: its jobs are planned when it begins."""
    at, draw = toy.START + timedelta(hours=number), random.Random(number)
    for machine in range(MACHINES):
        yield "heat", at, f"m{machine},{toy.text(at)},{_celsius(number, machine):.2f}"
    for job in range(JOBS_AN_HOUR):
        machine, size = draw.randrange(MACHINES), draw.randrange(0, 100)
        name, starts = f"j{number:05d}-{job:02d}", at + timedelta(minutes=31 + 2 * job)
        risk = (_celsius(number, machine) - 50) / 8 + (size - 50) / 25 * by_size
        failed = str(draw.random() < 1 / (1 + 2.718281828 ** (-risk))).lower()
        ended = starts + timedelta(minutes=5)
        yield "jobs", at, f"{name},m{machine},{toy.text(at)},{toy.text(starts)},{size}"
        yield "failures", ended, f"{name},{toy.text(ended)},{failed}"


def _celsius(number: int, machine: int) -> float:
    return 50 + 25 * random.Random(number * 10 + machine).uniform(-1, 1)


def _write(path: Path, header: str, lines: Iterator[str] | list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n")
