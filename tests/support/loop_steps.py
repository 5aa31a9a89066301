"""The whole loop of the toy as named steps, and what a home holds at the end of each: what kill tests compare."""

import gc
import hashlib
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from tests.support import imported_before, marked_points, toy, toy_sql

from airloop.data import quarantine_release
from airloop.data.unreadable_rows import SOURCE
from airloop.features import feature_store
from airloop.records import Window
from airloop.run import stages
from airloop.run.code_digest import code_digest
from airloop.settings import Settings
from airloop.sources.land_days import land_table
from airloop.sources.land_dialect import Dialect
from airloop.stores import lake, ledger, state
from airloop.stores.mlflow import tracking

DATA, TRAINING, LIVE = toy.days(0, 45), toy.days(0, 40), toy.days(41, 44)
# Anew in every run, or another one when a rerun finds the work done.
_OWN = {"run_id", "model_uri", "input_key", "seconds", "appended", "model_digest"}
# Cached before the steps are forked: code that is edited meanwhile is no other input of theirs.
for stage in stages.STAGES.values():
    code_digest(stage.package)


def write_project(root: Path, repository: Path) -> Settings:
    """The toy with its jobs in a database, one candidate, a row that cannot be read, and files to release and land."""
    settings = toy_sql.write_project(root / "project", repository, f"sqlite:///{root}/shop.db")
    text = toy.PIPELINE
    second = text[text.index("\n                gradient_boosting") : text.index("}}}}\ngate") + 2]
    toy_sql.declare(settings, f",{second}", "")
    toy_sql.declare(settings, "leak_check_times: 2,", "leak_check_times: 2, refit: {on: all_mature},")
    toy_sql.fill(settings, range(45))
    heat = Path(settings.landing_uri) / "toy" / "heat" / "2020-01-01.csv"
    first = heat.read_text().splitlines()[1]
    heat.write_text(heat.read_text().replace(first, f"{first.rpartition(',')[0]},hot"))
    (root / "repaired.csv").write_text(f"machine,measured_at,celsius\n{first}\n")
    hours = [f"m{machine},{toy.text(toy.days(day, 99).start)},50" for day in range(45, 55) for machine in range(5)]
    (root / "heat.csv").write_text("\n".join(["machine,measured_at,celsius", *hours]) + "\n")
    return settings


def _stage(name: str, window: Window, **options: object) -> Callable[[Settings], object]:
    return lambda settings: toy.run(name, settings, window, **options)


def _release(settings: Settings) -> object:
    path = settings.project_dir.parent / "repaired.csv"
    return quarantine_release.release(toy.toy_pipeline(settings), "heat", path, settings)


def _land(settings: Settings) -> object:
    return land_table(toy.toy_pipeline(settings), "heat", settings.project_dir.parent / "heat.csv", Dialect(), settings)


STEPS: dict[str, Callable[[Settings], object]] = {
    **{
        name: _stage(name, DATA)
        for name in (
            "extract",
            "ingest",
            "validate_raw",
            "build_features",
            "validate_features",
            "profile",
            "materialize",
        )
    },
    "snapshot": _stage("snapshot", TRAINING),
    "tune": _stage("tune", TRAINING, candidate="logistic_regression"),
    **{name: _stage(name, TRAINING) for name in ("train", "evaluate", "decide", "describe", "refit", "promote")},
    **{name: _stage(name, LIVE) for name in ("score", "monitor", "triage")},
    "release": _release,
    "land": _land,
}


def run(step: str, settings: Settings, kill_at: int | None = None, counts: Any = None) -> None:
    """One step, as a process of its own runs it.

    Args:
        kill_at: The point of its work (tests/support/marked_points.py) at which the process is killed.
        counts: Two shared integers: they get the number of its points, and the modules of the largest library that
            it was not forked with.
    """
    gc.freeze()  # what it was forked with is no garbage of its own
    if kill_at is not None:
        marked_points.die_at(kill_at, lambda: STEPS[step](settings))
    elif counts is not None:
        points = marked_points.count(lambda: STEPS[step](settings))
        imported = Counter(name.partition(".")[0] for name in sys.modules)
        new = set(imported) - imported_before.LIBRARIES
        counts[:] = [points, max((imported[name] for name in new), default=0)]
    else:
        STEPS[step](settings)


def state_of(settings: Settings) -> dict[str, Any]:
    """All that a home holds, but names and moments that are new in each run."""
    content: dict[str, Any] = {
        "landing": _files(Path(settings.landing_uri)),
        "lake": _tables(settings),
        "snapshots": _files(Path(settings.lake_uri) / "toy" / "snapshots"),
        "reports": sorted(_files(Path(settings.reports_uri))),
        "records": _records(settings),
        "ledger": [(entry.kind, _plain(entry.payload, settings)) for entry in ledger.entries(settings, "toy")],
        "ledger problems": ledger.verify(settings, "toy"),
        "locks": [path.name for path in (settings.home / "run" / "locks").glob("*")],
    }
    if content["records"]["materialize"]:
        content["online"] = _online(settings)
    if content["records"]["tune"]:
        content["models"] = _models(settings)
    return content


def _files(root: Path) -> dict[str, str]:
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _tables(settings: Settings) -> dict[str, Any]:
    by_table = {}
    for log in sorted(Path(settings.lake_uri).glob("*/*/*/_delta_log")):
        table = lake.open_table(str(log.parent), settings)
        if table is not None:
            rows = lake.read(str(log.parent), settings)
            # The file a row came from lies in another folder in every home.
            rows = rows.drop_columns([name for name in rows.schema.names if name == SOURCE])
            flat = [field.name for field in rows.schema if not pa.types.is_nested(field.type)]
            ordered = rows.sort_by([(name, "ascending") for name in flat])
            by_table[str(log.parent.relative_to(settings.lake_uri))] = (table.version(), lake.content_digest(ordered))
    return by_table


def _records(settings: Settings) -> dict[str, list[Any]]:
    return {
        stage: [_plain(_whole(stage, record), settings) for record in state.latest_records(settings, "toy", stage)]
        for stage in stages.STAGES
    }


def _whole(stage: str, record: dict[str, Any]) -> dict[str, Any]:
    """Without what a killed run has done of it: an extract's record names the files that its own run landed."""
    return {name: item for name, item in record.items() if (stage, name) != ("extract", "files")}


def _plain(value: Any, settings: Settings) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item, settings) for name, item in value.items() if name not in _OWN}
    if isinstance(value, list):
        return [_plain(item, settings) for item in value]
    return value.replace(str(settings.home), "") if isinstance(value, str) else value


def _online(settings: Settings) -> dict[str, list[Any]]:
    store = feature_store.open_store(toy.toy_pipeline(settings), settings)
    machines, jobs = (
        [{"machine": f"m{number}"} for number in range(5)],
        [{"job": f"j{day:03}-001"} for day in range(45)],
    )
    heat = store.get_online_features(["machine_heat:celsius"], entity_rows=machines).to_dict()
    return heat | store.get_online_features(["job_static:job_size"], entity_rows=jobs).to_dict()


def _models(settings: Settings) -> dict[str, Any]:
    client, pipeline = tracking.client(settings), toy.toy_pipeline(settings)
    runs = client.search_runs([tracking.experiment_id(pipeline, settings)])
    versions = client.search_model_versions("name = 'toy'")
    return {
        "runs": sorted(("mlflow.parentRunId" in run.data.tags, run.info.status) for run in runs),
        "versions": sorted(int(version.version) for version in versions),
        "aliases": sorted(alias for version in versions for alias in version.aliases),
        "metrics": sorted(
            str(sorted((n, v) for n, v in run.data.metrics.items() if "second" not in n)) for run in runs
        ),
    }
