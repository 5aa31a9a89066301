"""Whether a window still lacks the predictions that the champion of its time owes it."""

import logging
from collections.abc import Sequence

from airloop.config import Pipeline
from airloop.config.calendar import spanned, stretches
from airloop.records import Scored, Window
from airloop.settings import Settings
from airloop.stores import ledger, state

logger = logging.getLogger(__name__)


def owed(pipeline: Pipeline, windows: Sequence[Window], settings: Settings) -> tuple[Window, ...]:
    """What to score of windows, oldest first: those that ask for it, joined where one version was in force.

    Raises:
        GuardRefused: The ledger does not verify.
        UpstreamUnavailable: The state database does not answer.
    """
    lacking = []
    for window in windows:
        if why := why_not(pipeline, window, settings):
            logger.info("%s %s is not scored: %s", pipeline.name, window, why)
        else:
            lacking.append(window)
    history = ledger.intact_history(settings, pipeline.name)
    return tuple(map(spanned, stretches(lacking, lambda window: history.champion(window.start))))


def why_not(pipeline: Pipeline, window: Window, settings: Settings) -> str:
    """Why a window asks for no scoring; empty when it does.

    Raises:
        GuardRefused: The ledger does not verify.
        UpstreamUnavailable: The state database does not answer.
    """
    if ledger.intact_history(settings, pipeline.name).champion(window.start) is None:
        return f"no champion was in force at {window.start:%Y-%m-%dT%H:%MZ}"
    rows = state.latest_records(settings, pipeline.name, "score", overlapping=window)
    for scored in map(Scored.from_json, rows):
        covers = scored.window.start <= window.start and window.end <= scored.window.end
        if covers and scored.version and scored.mode == "live":
            return f"version {scored.version} has scored it"
    return ""
