"""Answers as data: labels become feedback and land in the outcome feed, repaired rows are released from quarantine."""

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

from airloop.config import Pipeline
from airloop.data import quarantine, quarantine_release
from airloop.errors import ConfigError, DataContractError
from airloop.serving import feedback, feedback_files
from airloop.serving.feedback import Said
from airloop.serving.outcomes import outcome_row
from airloop.serving.refused import Refused
from airloop.settings import Settings
from airloop.stores import reviews
from airloop.stores.reviews import Item

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Landed:
    """What became of the answers.

    Attributes:
        files: URIs that landed.
        refused: Answers that contradict what is known, or whose row is not in quarantine any more.
    """

    files: tuple[str, ...]
    refused: int


def land(pipeline: Pipeline, settings: Settings) -> Landed:
    """Bring in what is settled. Killed anywhere, the next call does the rest; the same answer lands once.

    Raises:
        UpstreamUnavailable: Landing folder, lake or state database do not answer.
    """
    files, refused, labelled = list[str](), 0, list[Item]()
    for item in reversed(reviews.to_land(settings, pipeline.name)):
        if item.answer == f'"{reviews.DROP}"':
            reviews.mark(settings, item.id, landed_as=reviews.DROP)
            continue
        try:
            if item.kind == reviews.ROW:
                files += _release(pipeline, item, settings)
            else:
                _give(pipeline, item, settings)
                labelled.append(item)
        except (Refused, DataContractError, ConfigError) as error:
            says = error.message if isinstance(error, Refused) else str(error)
            reviews.mark(settings, item.id, problem=says)
            refused += 1
            logger.warning("%s: the answer to review item %s does not land: %s", pipeline.name, item.id, says)
    if labelled:
        landed = feedback_files.land(pipeline, settings)
        files += landed
        for item in labelled:
            reviews.mark(settings, item.id, landed_as=", ".join(uri.rsplit("/", 1)[-1] for uri in landed) or "feedback")
    return Landed(tuple(files), refused)


def _give(pipeline: Pipeline, item: Item, settings: Settings) -> None:
    """Take a label as feedback of the people who gave it; it contradicts an outcome that was sent, and is refused."""
    people = [answer.person for answer in reviews.answers(settings, [item.id]).get(item.id, [])]
    row = outcome_row(pipeline, item.content["entity"], item.said(), item.content["decision_time"])
    feedback.take(settings, [Said(pipeline.name, row, corrects=False)], caller=f"review: {', '.join(people)}")


def _release(pipeline: Pipeline, item: Item, settings: Settings) -> list[str]:
    feed = pipeline.feeds[item.feed]
    with tempfile.TemporaryDirectory(prefix="airloop_review_") as folder:
        path = Path(folder) / f"{item.id}.csv"
        path.write_bytes(quarantine.to_csv(feed, [item.said()]))
        done = quarantine_release.release(pipeline, item.feed, path, settings)
    files = [*done.landed, *done.before]
    reviews.mark(settings, item.id, landed_as=", ".join(uri.rsplit("/", 1)[-1] for uri in files))
    return list(done.landed)
