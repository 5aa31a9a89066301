"""Whether an evaluation may be judged: it is the one that evaluate recorded, against the champion still in force."""

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.models.looks import earlier_looks
from airloop.records import Evaluated, Window
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.ledger import History


def require_current(
    pipeline: Pipeline, window: Window, evaluated: Evaluated, history: History, settings: Settings
) -> None:
    """Refuse an evaluation that is not of this training, or was made against another champion or after fewer looks.

    Raises:
        GuardRefused: See above; the message says what to run.
    """
    stored = state.latest_records(settings, pipeline.name, "evaluate", window=window)
    recorded = [Evaluated.from_json(record).to_json() for record in stored]
    if evaluated.to_json() not in recorded or evaluated.cutoff != window.end:
        raise GuardRefused(
            f"evaluate has no record of this evaluation of version {evaluated.version} for {window}: run evaluate"
        )
    looks = earlier_looks(history, pipeline, evaluated.holdout, version=evaluated.version)
    if evaluated.looks != looks:
        raise GuardRefused(
            f"version {evaluated.version} was evaluated after {evaluated.looks} looks at its holdout, and {looks} "
            "decisions looked at it by now: run evaluate again"
        )
    champion = history.champion(window.end, but_not=evaluated.version)
    if champion != evaluated.champion_version:
        raise GuardRefused(
            f"version {evaluated.version} was evaluated against champion {evaluated.champion_version}, and {champion} "
            f"is in force at {window.end:%Y-%m-%d}: run evaluate again"
        )
