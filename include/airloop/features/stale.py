"""Windows whose features were built by other definitions than today's: a changed feature has to be built again."""

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features import feature_store
from airloop.records import BuiltFeatures, Window
from airloop.settings import Settings
from airloop.stores import state


def stale_windows(pipeline: Pipeline, settings: Settings, *, span: Window | None = None) -> tuple[Window, ...]:
    """Built windows whose features mean something else today, oldest first; a comment has no meaning.

    A window that later ones have covered since does not count, nor does one built before definitions were on record.

    Args:
        span: Only windows that overlap it.
    """
    rows = state.latest_records(settings, pipeline.name, "build_features", overlapping=span)
    now = feature_store.fingerprint(pipeline, settings)
    later: list[Window] = []
    stale = []
    for record in map(BuiltFeatures.from_json, reversed(rows)):
        if _is_covered(record.window, later):
            continue
        later.append(record.window)
        if record.fingerprint not in ("", now):
            stale.append(record.window)
    return tuple(sorted(stale, key=lambda window: window.start))


def engines_used(pipeline: Pipeline, span: Window, settings: Settings) -> tuple[str, ...]:
    """Names and versions of what ran features.sql for the windows of a span, sorted; older records are left out."""
    rows = state.latest_records(settings, pipeline.name, "build_features", overlapping=span)
    return tuple(sorted({record.engine for record in map(BuiltFeatures.from_json, rows)} - {""}))


def refuse_stale(pipeline: Pipeline, span: Window, settings: Settings) -> None:
    """Refuse to train on features of several meanings.

    Raises:
        DataContractError: A built window of the span is stale; names the command that builds it again.
    """
    stale = stale_windows(pipeline, settings, span=span)
    if stale:
        raise DataContractError(
            f"{pipeline.name}: features.sql or the Feast definitions have changed, and the features of {len(stale)} "
            f"windows were built before that, {stale[0]} first; build them again: airloop run data {pipeline.name} "
            "--stale"
        )


def _is_covered(window: Window, spans: list[Window]) -> bool:
    reached = window.start
    for span in sorted(spans, key=lambda item: item.start):
        if span.start <= reached < span.end:
            reached = span.end
    return reached >= window.end
