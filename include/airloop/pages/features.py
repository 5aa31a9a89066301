"""The feature catalogue: entities, views, owners, freshness, who uses what, and how it drifted."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import fsspec

from airloop import reports
from airloop.config import Pipeline, load_pipeline
from airloop.errors import AirloopError, UpstreamUnavailable
from airloop.features import catalogue
from airloop.pages import freshness, history, mlflow_links, told_entries
from airloop.pages.history import Seen, Version
from airloop.pages.site import Site
from airloop.reports.rendering import render
from airloop.settings import Settings

_SEARCHED = 24
_ROLES = ("champion", "challenger", "")


def page(site: Site, name: str) -> str:
    """A pipeline's entities and views, each view with its features.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        UpstreamUnavailable: The state database, the reports or the lake do not answer.
    """
    pipeline = load_pipeline(name, site.settings)
    return render(
        "features.html",
        site=site,
        here="features",
        pipeline=pipeline,
        catalogue=_catalogue(site, pipeline),
        mlflow=mlflow_links.of_pipeline(site.settings, name, history.versions(site.settings, name)),
    )


def index(site: Site, names: Sequence[str]) -> str:
    """Every view of every pipeline, one line each; a pipeline that cannot be read says so and hides no other."""
    sections = []
    for name in names:
        try:
            sections.append(
                {"name": name, "catalogue": _catalogue(site, load_pipeline(name, site.settings)), "why": ""}
            )
        except AirloopError as error:
            sections.append({"name": name, "catalogue": None, "why": str(error)})
    return render("catalogue.html", site=site, here="features", sections=sections)


def _catalogue(site: Site, pipeline: Pipeline) -> dict[str, Any] | None:
    """What Feast knows with what the loop knows of it; None before the first materialization."""
    settings = site.settings
    known = catalogue.read(pipeline.name, settings)
    if known is None:
        return None
    looks = history.with_looks(settings, pipeline.name, limit=_SEARCHED)
    monitored = next((item for item in looks if item.record("monitor").get("version")), None)
    at = freshness.reached(pipeline, max((item.window.end for item in looks), default=None), site.now)
    users = _users(settings, pipeline)
    psi = _psi(settings, pipeline, monitored)
    views = [
        {
            **view,
            "freshness": freshness.of_view(pipeline, view, at, settings),
            "services": [item["name"] for item in known["services"] if view["name"] in item["features"]],
            "features": [
                _feature(pipeline, feature, view, known, users=users, psi=psi) for feature in view["features"]
            ],
        }
        for view in known["views"]
    ]
    for view in views:
        view["users"] = [user for user in users if any(user["version"] in f["versions"] for f in view["features"])]
    return {**known, "views": views, "at": at, "monitored": monitored.window if monitored else None}


def _feature(
    pipeline: Pipeline,
    feature: Mapping[str, Any],
    view: Mapping[str, Any],
    known: Mapping[str, Any],
    *,
    users: Sequence[Mapping[str, Any]],
    psi: Mapping[str, float],
) -> dict[str, Any]:
    # An array is a column per element to models and to drift: signal_00 ... signal_63.
    columns = re.compile(
        rf"{re.escape(feature['name'])}(_\d+)?" if "Array" in feature["type"] else re.escape(feature["name"])
    )
    scores = [score for name, score in psi.items() if columns.fullmatch(name) and score is not None]
    return {
        **feature,
        "psi": max(scores, default=None),
        "drifted": any(score >= pipeline.monitoring.psi_threshold for score in scores),
        "ignored": feature["name"] in pipeline.features.ignore_drift,
        "served": any(feature["name"] in item["features"].get(view["name"], ()) for item in known["services"]),
        "versions": [u["version"] for u in users if any(columns.fullmatch(name) for name in u["features"])],
    }


def _users(settings: Settings, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Versions with the features they were trained on and their role by the ledger: champion and challengers first."""
    decided = told_entries.history(settings, pipeline.name)
    champion, waiting = decided.champion(), decided.challengers()
    named = dict.fromkeys(waiting, "challenger")
    if champion is not None:
        named[champion] = "champion"
    # A refit is not a training of its own: it stands for the version that was judged, whose features it has.
    stands = {decided.judged(version): version for version in named}

    def user(version: Version) -> dict[str, Any]:
        number = stands.get(version.number, version.number)
        return {"version": number, "role": named.get(number, ""), "features": version.snapshot.get("features", ())}

    users = [user(version) for version in history.versions(settings, pipeline.name).values()]
    return sorted(users, key=lambda user: (_ROLES.index(user["role"]), -user["version"]))


def _psi(settings: Settings, pipeline: Pipeline, monitored: Seen | None) -> dict[str, float]:
    """Feature -> drift score in the newest monitored window."""
    if monitored is None:
        return {}
    uri = reports.report_uri(settings, pipeline.name, "monitoring", window=monitored.window, suffix=".json")
    try:
        with fsspec.open(uri, "r", encoding="utf-8", **settings.storage_options) as stream:
            return dict(json.load(stream).get("psi", {}))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be read: {error}") from error
