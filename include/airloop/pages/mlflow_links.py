"""Deep links into MLflow's own server, made of what the records hold; MLflow is never asked."""

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from airloop.settings import Settings

if TYPE_CHECKING:
    from airloop.pages.history import Version


def server(settings: Settings) -> str:
    """MLflow's address without a login that it may hold; empty when nobody said where people see it."""
    if not settings.mlflow_ui_url:
        return ""
    parts = urlsplit(settings.mlflow_ui_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def of_pipeline(settings: Settings, name: str, versions: "dict[int, Version]") -> dict[str, str]:
    """What MLflow shows of a pipeline: label -> address; empty without a server."""
    home = server(settings)
    if not home:
        return {}
    experiments = [version.trained["experiment_id"] for version in versions.values() if _experiment(version)]
    page = f"{home}/#/experiments/{experiments[-1]}/runs" if experiments else f"{home}/#/experiments"
    return {"MLflow": page, "Registry": f"{home}/#/models/{quote(name, safe='')}"}


def of_version(settings: Settings, name: str, version: "Version") -> dict[str, str]:
    """What MLflow shows of a version: its registry page, its training run, and the candidates side by side."""
    home = server(settings)
    if not home:
        return {}
    links = {
        "Model version": f"{home}/#/models/{quote(name, safe='')}/versions/{version.number}",
        "Training run": f"{home}/#/runs/{quote(str(version.trained['run_id']), safe='')}",
    }
    runs = [record["run_id"] for record in version.tuned if record.get("run_id")]
    if _experiment(version) and len(runs) > 1:
        query = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([_experiment(version)]))}"
        links["Compare candidates"] = f"{home}/#/compare-runs?{query}"
    return links


def _experiment(version: "Version") -> str:
    return str(version.trained.get("experiment_id") or "")
