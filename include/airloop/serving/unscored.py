"""Whether a window still lacks the predictions that the champion of its time owes it."""

from airloop.config import Pipeline
from airloop.records import Scored, Window
from airloop.settings import Settings
from airloop.stores import ledger, state


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
