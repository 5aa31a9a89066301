"""describe: the model card of a version that was judged; nothing waits for it."""

import logging

from airloop.deployment import Deployment
from airloop.gate import card_files
from airloop.models import described, model_version, serving_form, several_fits
from airloop.models.training_set import labelled_part, read_snapshot
from airloop.records import Decision, Described, Snapshot, TrainedModel, Window

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
    version's MLflow run, replacing those of an earlier run. What happens to the version later - an approval, its
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
    form = serving_form.served_by(model_version.version_files(pipeline.name, trained.version, settings))
    together = several_fits.answering(trained.candidate, trained.params)
    measured = described.measure(pipeline, version, rows) | {"served_by": form, "answering": together}
    html, text = card_files.publish(pipeline, trained.version, settings, measured=measured)
    logger.info("%s %s: model card of version %d at %s", pipeline.name, window, trained.version, html)
    return Described(trained.model_name, trained.version, measured, html, text)
