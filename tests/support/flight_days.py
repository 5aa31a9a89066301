"""Flights by the day: the four files of flight_delays on a daily calendar, as `flight_days`, with or without a change.

By hand, on a platform of its own: `python -m tests.support.flight_days FOLDER FROM TO [planted] [day-by-day]`.
"""

import re
import sys
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from airloop.settings import Settings, load_settings
from nycflights import NycFlights

NAME = "flight_days"
CHANGED_FROM = date(2013, 2, 20)
"""From this local day on the planted change lands: flights of the morning arrive an hour late."""
LINKED = ("dags", "plugins", "requirements", "include/airloop", "include/airloop_airflow", "include/airloop_platform")


class ChangedFlights(NycFlights):
    """NycFlights in which arrivals before noon (UTC 17:00) are an hour late from CHANGED_FROM on."""

    def files(self, feed: str) -> Mapping[date, pl.DataFrame]:
        """See Replay."""
        return _changed() if feed == "arrivals" else super().files(feed)


@cache
def _changed() -> Mapping[date, pl.DataFrame]:
    late = pl.col("arrived_at").dt.hour().is_between(12, 17)
    delay = pl.col("arrival_delay_minutes") + pl.when(late).then(60).otherwise(0)
    return {
        day: frame.with_columns(delay.alias("arrival_delay_minutes")) if day >= CHANGED_FROM else frame
        for day, frame in NycFlights().files("arrivals").items()
    }


def write_project(root: Path, repository: Path, *, planted: bool) -> Settings:
    """A project with `flight_days` alone; code and DAGs are the repository's."""
    folder = root / "include" / "pipelines" / NAME
    folder.mkdir(parents=True)
    (root / "feature_repo").mkdir()
    for name in LINKED:
        (root / name).symlink_to(repository / name)
    shipped = repository / "include" / "pipelines" / "flight_delays"
    for name in ("pipeline.yaml", "features.sql", "expectations.yaml"):
        text = (shipped / name).read_text().replace("flight_delays", NAME)
        (folder / name).write_text(_daily(text, planted=planted) if name == "pipeline.yaml" else text)
    definitions = (repository / "feature_repo" / "flight_delays.py").read_text()
    (root / "feature_repo" / f"{NAME}.py").write_text(definitions.replace("flight_delays", NAME))
    store = (repository / "feature_repo" / "feature_store.yaml").read_text()
    (root / "feature_repo" / "feature_store.yaml").write_text(store)
    return load_settings(project_dir=root, home=root / "home")


def _daily(text: str, *, planted: bool) -> str:
    text = re.sub(r"calendar: monthly.*", "calendar: daily", text)
    text = text.replace("monitoring:\n  {", "monitoring:\n  {every: weekly, ")
    if planted:
        text = text.replace("nycflights.feeds:NycFlights", "tests.support.flight_days:ChangedFlights")
    return text


def main(folder: str, start: str, end: str, *options: str) -> None:
    """Replay `[start, end)` on a platform of its own, and show the demo's table."""
    from rich.console import Console

    from airloop.config import load_pipeline
    from airloop_platform.replay import span
    from airloop_platform.replay.command import replay_and_show

    repository, root = Path(__file__).resolve().parents[2], Path(folder)
    if not root.exists():
        write_project(root, repository, planted="planted" in options)
    settings = load_settings(project_dir=root, home=root / "home")
    pipeline = load_pipeline(NAME, settings)
    windows = span.windows_between(pipeline, start, end, span.reach(pipeline, settings))
    if "day-by-day" not in options:
        windows = span.by_look(pipeline, windows, settings)
    replay_and_show(pipeline, windows, settings, console=Console(width=200))


if __name__ == "__main__":
    main(*sys.argv[1:])
