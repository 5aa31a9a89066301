"""A replay in a home of its own: what the pipeline already has (ledger, models, predictions) stays as it is."""

import shlex
from collections.abc import Sequence

from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.records import Window
from airloop.settings import STORES, Settings, load_settings
from airloop.stores import ledger
from airloop_platform.replay.trainings import hand_key


def home_of_its_own(pipeline: Pipeline, settings: Settings) -> Settings:
    """Settings with `<home>/replays/<pipeline>` as home, and the files that have landed read where they lie.

    A replay's source (`replay: module:Class`) lands the past once more, in that home.

    Raises:
        ConfigError: A variable names a store: the two homes would share it.
    """
    landing = {} if pipeline.replay else {"landing_uri": settings.landing_uri}
    home = settings.home / "replays" / pipeline.name
    anew = load_settings(project_dir=settings.project_dir, home=home, connections=settings.connections, **landing)
    shared = [name for name in STORES if getattr(anew, name) == getattr(settings, name)]
    if shared:
        variables = ", ".join(f"AIRLOOP_{name.upper()}" for name in shared)
        raise ConfigError(
            f"--anew writes below {home} alone, but {variables} would name the same place for both homes: unset it for "
            "this command"
        )
    return anew


def advice(pipeline: Pipeline, windows: Sequence[Window], settings: Settings) -> str:
    """Says of windows before a first model that was trained by hand that nothing scores them; empty without such."""
    entries = ledger.entries(settings, pipeline.name, kinds=("trained", "done"))
    trained = next((entry for entry in entries if entry.kind == "trained"), None)
    moves = [entry for entry in entries if entry.kind == "done"]
    done = min(moves, key=lambda entry: entry.effective_at, default=None)
    if done is None or trained is None or trained.payload["reason_key"] == hand_key(trained.effective_at):
        return ""
    earlier = [window for window in windows if window.start < done.effective_at]
    if len(earlier) < 2:
        return ""
    return (
        f"the first model was trained by hand and is in force from {done.effective_at:%Y-%m-%d}: the {len(earlier):,} "
        "windows before get their data and are not scored. The whole past, in a home of its own, which leaves this one "
        f"as it is: airloop replay {pipeline.name} --anew"
    )


def variables(settings: Settings) -> str:
    """What a shell has to export to work on that home; empty for the home of the environment."""
    here = load_settings(project_dir=settings.project_dir)
    if settings.home == here.home:
        return ""
    assigned = {"AIRLOOP_HOME": str(settings.home), "AIRLOOP_LANDING_URI": settings.landing_uri}
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in assigned.items())
