"""describe_refit: the model card of a refit, beside that of the version it is the refit of; nothing waits for it."""

import dataclasses
import logging

from airloop.deployment import Deployment
from airloop.gate import card_files
from airloop.models import model_version, serving_form
from airloop.records import Described, Refitted, Window

logger = logging.getLogger(__name__)


def describe_refit(at: Deployment, window: Window, *, described: Described, refitted: Refitted) -> Described:
    """Publish the card of the version that goes into force, where it is a refit.

    Its figures are those of the judged version, and its first limit says so: nothing measured the refit on rows that
    it has not learned from. Written are the files that stage describe writes, under the refit's number and in its run.

    Returns:
        Of the judged version what describe returned, where nothing was refitted or the refit is left out.

    Raises:
        GuardRefused: The refit, or its run, is gone from MLflow.
        UpstreamUnavailable: MLflow, the reports or the state database does not answer.
    """
    if refitted.outcome != "refitted":
        return described
    files = model_version.version_files(at.pipeline.name, refitted.version, at.settings)
    measured = described.measured | {"served_by": serving_form.served_by(files)}
    html, text = card_files.publish(at.pipeline, refitted.version, at.settings, measured=measured)
    logger.info("%s %s: model card of version %d at %s", at.pipeline.name, window, refitted.version, html)
    return dataclasses.replace(described, version=refitted.version, measured=measured, card_uri=html, json_uri=text)
