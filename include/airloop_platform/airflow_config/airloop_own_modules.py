"""airloop's own modules, imported before tasks are forked, and imported anew by a task when one was edited meanwhile.

A task needs most of 480 of them, a fifth of a second; a look at their files takes two milliseconds.
"""

import importlib
import os
import pkgutil
import sys

_PACKAGES = ("airloop", "airloop_airflow", "airloop_platform")
_DAGS = "airloop_airflow.dags"
_FEASTS = ("airloop.feast_stores.batch_engine", "airloop.feast_stores.offline_store")
_PLUGIN = ("airloop_airflow.plugin", "airloop_airflow.calendar")


def of_files() -> tuple[str, ...]:
    """What the files in dags/ and plugins/ import."""
    folder = importlib.import_module(_DAGS).__path__
    return (*_PLUGIN, *(f"{_DAGS}.{module.name}" for module in pkgutil.iter_modules(folder)))


def of_tasks() -> tuple[str, ...]:
    """That, the stages, what runs one, and what Feast imports of ours."""
    from airloop.run.stages import STAGES

    stages = sorted({stage.path.split(":")[0] for stage in STAGES.values()})
    return (*of_files(), "airloop.run.stage_run", *stages, *_FEASTS)


def forget_when_edited(*, generations: int) -> None:
    """Let a fork forget all of airloop's modules once a file of one is another than now, or is gone.

    It then imports what it needs as it is. None is exchanged alone: the others hold its classes.

    Args:
        generations: Of forks that look. A process that a task forks goes on with what the task has.
    """
    imported, generation = _changes(), 0

    def in_child() -> None:
        nonlocal generation
        generation += 1
        if generation <= generations and any(_change(path) != change for path, change in imported.items()):
            for name in _own():
                del sys.modules[name]

    os.register_at_fork(after_in_child=in_child)


def _own() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]


def _changes() -> dict[str, int]:
    files = (getattr(sys.modules[name], "__file__", None) for name in _own())
    return {path: _change(path) for path in files if path}


def _change(path: str) -> int:
    """When a file was last changed. Its time of change, and not that of its content, which an installer sets."""
    try:
        return os.stat(path).st_ctime_ns  # noqa: PTH116 -- of 480 files before each task
    except OSError:
        return 0
