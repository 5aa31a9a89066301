"""describe: the model card of a version that was judged; nothing waits for it."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from airloop import reports
from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.features import catalogue
from airloop.models import described, model_version
from airloop.models.training_set import labelled_part, read_snapshot
from airloop.records import Decision, Described, Snapshot, TrainedModel, Window
from airloop.reports import card
from airloop.settings import Settings
from airloop.stores.mlflow import tracking

logger = logging.getLogger(__name__)


def describe(
    at: Deployment,
    window: Window,
    *,
    snapshot: Snapshot,
    trained: TrainedModel,
    decision: Decision,
) -> Described:
    """Measure what the card says beyond the decision, and publish the card.

    Written are `<reports>/<pipeline>/cards/v<version>.html` and `.json`, and both as artifacts below `card/` of the
    training's MLflow run, replacing those of an earlier run. What happens to the version later - an approval, its
    promotion, what it gained - is on its page in Airflow at once, and in the files when `airloop card` writes them
    again.

    Raises:
        GuardRefused: The version does not load.
        DataContractError: The training set is not the recorded one.
        UpstreamUnavailable: MLflow, the reports or the state database does not answer.
    """
    pipeline, settings = at.pipeline, at.settings
    rows = labelled_part(read_snapshot(snapshot, settings), "holdout")
    version = model_version.load_version(pipeline, trained.version, settings, digest=decision.model_digest)
    measured = described.measure(pipeline, version, rows)
    html, text = publish(pipeline, trained.version, settings, measured=measured, run_id=trained.run_id)
    logger.info("%s %s: model card of version %d at %s", pipeline.name, window, trained.version, html)
    return Described(trained.model_name, trained.version, measured, html, text)


def publish(
    pipeline: Pipeline,
    version: int,
    settings: Settings,
    *,
    measured: Mapping[str, Any] | None = None,
    run_id: str = "",
) -> tuple[str, str]:
    """Write a version's card as it is now; returns where its HTML and its JSON lie.

    Args:
        measured: See airloop.reports.card.content.
        run_id: The MLflow run to log it to; that of the version's training unless given.

    Raises:
        GuardRefused: See airloop.reports.card.content, and the run is gone.
        UpstreamUnavailable: See `describe`.
    """
    known = catalogue.read(pipeline.name, settings)
    found = card.content(pipeline, version, settings, catalogue=known, measured=measured)
    place = f"{settings.reports_uri}/{pipeline.name}/cards/v{version}"
    html, text = card.page(found), json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    for suffix, content in (("html", html), ("json", text)):
        reports.publish(f"{place}.{suffix}", content, settings)
        tracking.write_text(settings, run_id or found["version"]["run_id"], f"card/card.{suffix}", content)
    return f"{place}.html", f"{place}.json"
