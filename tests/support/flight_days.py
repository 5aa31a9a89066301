"""Flights by the day: the four files of flight_delays on a daily calendar, as they were and with carriers that turn."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from airloop.config import Pipeline
from airloop.config.loading import read_yaml
from airloop.settings import Settings, load_settings
from airloop.sources.replay import by_day
from airloop.stores import alarms
from nycflights import NycFlights
from nycflights.source import NEW_YORK

STAYS, TURNED = WORLDS = "flight_days", "turned_flight_days"
CHANGED_FROM = date(2013, 2, 18)
"""From this local day on the planted change lands: two weeks after LEARNED_UNTIL, so that one look sees none of it."""
MINUTES = {"UA": 15, "DL": 15, "EV": -30, "B6": -30}
"""What the change adds to an arrival and its delay, by carrier: the punctual ones come late, the late ones in time."""
LEARNED_UNTIL = datetime(2013, 2, 4, tzinfo=UTC)
"""A first model has its rows and its holdout by then; it is a Monday, on which looks end."""
ONE_CANDIDATE = {
    "budget": {"trials": 1, "folds": 2, "rows": 4000, "seconds": 600},
    "leak_check_times": 1,
    "ensemble": {"by": "none"},
    "candidates": {
        "logistic_regression": {
            "estimator": "sklearn.linear_model:LogisticRegression",
            "encoder": "one_hot",
            "params": {"C": 0.1, "max_iter": 200},
        }
    },
}
"""Of `training`, where it is tried when one is asked for, and not what it finds."""
_STORM = datetime(2013, 2, 8, 12, tzinfo=UTC)
LINKED = ("dags", "plugins", "requirements", "include/airloop", "include/airloop_airflow", "include/airloop_platform")


class TurnedFlights(NycFlights):
    """NycFlights whose carriers change places from CHANGED_FROM on: arrivals are other ones, and nothing else."""

    def files(self, feed: str) -> Mapping[date, pl.DataFrame]:
        """See Replay."""
        return _turned() if feed == "arrivals" else super().files(feed)


@cache
def _turned() -> Mapping[date, pl.DataFrame]:
    """An arrival and its delay move together: a delay alone would be an alarm about the file, and rightly."""
    carriers = NycFlights().frame("schedule").select("flight_id", "carrier")
    changed = pl.col("arrived_at").dt.convert_time_zone(NEW_YORK).dt.date() >= CHANGED_FROM
    minutes = pl.when(changed).then(pl.col("carrier").replace_strict(MINUTES, default=0)).otherwise(0)
    arrivals = (
        NycFlights()
        .frame("arrivals")
        .join(carriers, on="flight_id", how="left", maintain_order="left")
        .with_columns(pl.col("arrived_at") + pl.duration(minutes=minutes), pl.col("arrival_delay_minutes") + minutes)
        .drop("carrier")
    )
    return by_day(arrivals.sort("arrived_at", maintain_order=True), "arrived_at", NEW_YORK)


def answer_the_blizzard(pipeline: Pipeline, settings: Settings) -> None:
    """What a person says to the alarms that the storm of 8 February raises: half of the flights were cancelled."""
    for item in alarms.raised(pipeline, settings):
        of_storm = item.window.start <= _STORM < item.window.end and item.alarm.kind in ("labels_missing", "file_cut")
        if item.open and of_storm:
            why = "a blizzard closed the airports: those flights were cancelled"
            alarms.answer(settings, pipeline, item.id, word=alarms.ACCEPTED, why=why, who="operations")


def write_project(root: Path, repository: Path, **training: Any) -> Settings:
    """A project with both worlds alone; code and DAGs are the repository's. See declare."""
    (root / "include").mkdir(parents=True)
    (root / "feature_repo").mkdir()
    for name in LINKED:
        (root / name).symlink_to(repository / name)
    store = (repository / "feature_repo" / "feature_store.yaml").read_text()
    (root / "feature_repo" / "feature_store.yaml").write_text(store)
    settings = load_settings(project_dir=root, home=root / "home")
    for name in WORLDS:
        declare(name, settings, repository, **training)
    return settings


def declare(name: str, settings: Settings, repository: Path, **training: Any) -> None:
    """Write a world's four files into a checkout: another calendar, a look a week at two weeks, four weeks learned.

    Args:
        training: Keys of `training` that are other ones than the shipped pipeline's.
    """
    shipped, folder = repository / "include" / "pipelines" / "flight_delays", settings.pipelines_dir / name
    folder.mkdir(parents=True)
    for file in ("features.sql", "expectations.yaml"):
        (folder / file).write_text((shipped / file).read_text())
    _, declared = read_yaml(shipped / "pipeline.yaml")
    declared |= {"name": name, "calendar": "daily"}
    declared["training"] |= {"history_days": 28, **training}
    declared["monitoring"] |= {"every": "weekly", "over_days": 14}
    if name == TURNED:
        declared["replay"] = f"{__name__}:{TurnedFlights.__name__}"
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
    definitions = (repository / "feature_repo" / "flight_delays.py").read_text()
    own = definitions.replace("flight_delays/features", f"{name}/features")
    (settings.feature_repo_dir / f"{name}.py").write_text(own)
