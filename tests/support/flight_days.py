"""Flights by the day: the four files of flight_delays on a daily calendar, as `flight_days`, with or without a change."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from airloop.settings import Settings, load_settings
from nycflights import NycFlights

NAME = "flight_days"
CHANGED_FROM = date(2013, 2, 11)
"""From this local day on the planted change lands."""
MINUTES = {"UA": 15, "DL": 15, "EV": -30, "B6": -30}
"""What the change adds to the arrival delay, by carrier: the punctual ones come late, the late ones in time."""
LINKED = ("dags", "plugins", "requirements", "include/airloop", "include/airloop_airflow", "include/airloop_platform")


class TurnedFlights(NycFlights):
    """NycFlights whose carriers change places from CHANGED_FROM on: only outcomes are other ones."""

    def files(self, feed: str) -> Mapping[date, pl.DataFrame]:
        """See Replay."""
        return _turned() if feed == "arrivals" else super().files(feed)


@cache
def _turned() -> Mapping[date, pl.DataFrame]:
    carriers = NycFlights().frame("schedule").select("flight_id", "carrier")
    added = pl.col("carrier").replace_strict(MINUTES, default=0)
    return {
        day: frame.join(carriers, on="flight_id", how="left", maintain_order="left")
        .with_columns(pl.col("arrival_delay_minutes") + added)
        .drop("carrier")
        if day >= CHANGED_FROM
        else frame
        for day, frame in NycFlights().files("arrivals").items()
    }


def declare(settings: Settings, repository: Path, *, planted: bool, name: str = NAME) -> None:
    """Write the four files into a checkout; the code they name is the repository's."""
    shipped, folder = repository / "include" / "pipelines" / "flight_delays", settings.pipelines_dir / name
    folder.mkdir(parents=True)
    for file in ("pipeline.yaml", "features.sql", "expectations.yaml"):
        text = (shipped / file).read_text().replace("flight_delays", name)
        (folder / file).write_text(_daily(text, planted=planted) if file == "pipeline.yaml" else text)
    definitions = (repository / "feature_repo" / "flight_delays.py").read_text()
    (settings.feature_repo_dir / f"{name}.py").write_text(definitions.replace("flight_delays", name))


def write_project(root: Path, repository: Path, *, planted: bool) -> Settings:
    """A project with `flight_days` alone; code and DAGs are the repository's."""
    (root / "include").mkdir(parents=True)
    (root / "feature_repo").mkdir()
    for name in LINKED:
        (root / name).symlink_to(repository / name)
    store = (repository / "feature_repo" / "feature_store.yaml").read_text()
    (root / "feature_repo" / "feature_store.yaml").write_text(store)
    settings = load_settings(project_dir=root, home=root / "home")
    declare(settings, repository, planted=planted)
    return settings


def _daily(text: str, *, planted: bool) -> str:
    """Another calendar, a look a week at two weeks, models that forget what is older than four: nothing else."""
    text = re.sub(r"calendar: monthly.*", "calendar: daily", text)
    text = text.replace("monitoring:\n  {", "monitoring:\n  {every: weekly, over_days: 14, ")
    text = text.replace("training:\n", "training:\n  history_days: 28\n")
    if planted:
        text = text.replace("nycflights.feeds:NycFlights", "tests.support.flight_days:TurnedFlights")
    return text
