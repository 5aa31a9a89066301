"""Review: which predictions and rows people are asked about, and how their answers come in by the door of all data."""

import logging

from airloop.config import Pipeline
from airloop.serving.refused import Refused
from airloop.settings import Settings

logger = logging.getLogger(__name__)


def ask_and_land(pipeline: Pipeline, settings: Settings) -> None:
    """Fill the queue, and bring in what is answered; a declaration without a place for answers is logged."""
    from airloop.serving.review import answers, questions

    try:
        questions.ask(pipeline, settings)
        answers.land(pipeline, settings)
    except Refused as error:
        logger.warning("%s: nothing is asked: %s", pipeline.name, error.message)
