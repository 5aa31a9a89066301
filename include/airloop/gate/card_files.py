"""The files of a version's model card: a page and JSON, in the reports and in the run that logged the version."""

import json
from collections.abc import Mapping
from typing import Any

from airloop import reports
from airloop.config import Pipeline
from airloop.features import catalogue
from airloop.reports import card
from airloop.settings import Settings
from airloop.stores.mlflow import registry, tracking


def publish(
    pipeline: Pipeline, version: int, settings: Settings, *, measured: Mapping[str, Any] | None = None
) -> tuple[str, str]:
    """Write a version's card as it is now, in place of an earlier one; returns where its HTML and its JSON lie.

    Args:
        measured: See airloop.reports.card.content.

    Raises:
        GuardRefused: See airloop.reports.card.content; or the version, or its run, is gone from MLflow.
        UpstreamUnavailable: MLflow, the reports or the state database does not answer.
    """
    known = catalogue.read(pipeline.name, settings)
    card_content = card.content(pipeline, version, settings, catalogue=known, measured=measured)
    run_id = registry.version_of(settings, pipeline.name, version).run_id
    place = f"{settings.reports_uri}/{pipeline.name}/cards/v{version}"
    html, text = card.page(card_content), json.dumps(card_content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    for suffix, content in (("html", html), ("json", text)):
        reports.publish(f"{place}.{suffix}", content, settings)
        tracking.write_text(settings, run_id, f"card/card.{suffix}", content)
    return f"{place}.html", f"{place}.json"
