"""The files a review reads: copied from the landing folder, or replayed where nothing has landed."""

import hashlib
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from airloop.authoring.review.span import Span, covers, days_needed, first_periods, newest_periods, rows_a_day
from airloop.config import Pipeline
from airloop.config.attribute import resolve
from airloop.errors import DataContractError
from airloop.records import Window
from airloop.settings import Settings
from airloop.sources.replay import Replay
from airloop.stores import landed_files
from airloop.stores.files import publish

_LANDS_AHEAD = timedelta(days=2)


def gather(pipeline: Pipeline, settings: Settings, folder: Path, *, days: int | None = None) -> Span:
    """Copy what landed for the newest whole periods below `folder`; else let the pipeline's `replay` land there.

    Copied, so that a file that lands, or is set aside, meanwhile changes nothing here, and nothing done here changes
    the installation. Equal files give the same folder (`landing-<digest>`), so a second call finds what was there.

    Args:
        days: How long; default is what one training with its holdout needs (see `days_needed`).

    Raises:
        DataContractError: Less has landed, or is replayed, than is needed.
        UpstreamUnavailable: The landing folder cannot be read.
    """
    files = landed_files.list_files(pipeline, settings)
    needed = days or days_needed(pipeline, rows_a_day(pipeline, files, settings))
    windows = newest_periods(pipeline, files, needed)
    if covers(windows, needed):
        return Span(windows, _copied(pipeline, windows, settings, folder), "copied from the landing folder")
    if pipeline.replay is None:
        raise DataContractError(_too_little(pipeline, windows, needed, f"below {settings.landing_uri}"))
    return _replayed(pipeline, settings, folder, days=days)


def _copied(pipeline: Pipeline, windows: Sequence[Window], settings: Settings, folder: Path) -> str:
    with _landing(folder) as root:
        for file in landed_files.window_files(pipeline, Window(windows[0].start, windows[-1].end), settings):
            target = f"{root}/{pipeline.name}/{file.feed}/{file.uri.rsplit('/', 1)[-1]}"
            publish(target, landed_files.read_bytes(file.uri, settings), {})
    return _kept(root, folder)


def _replayed(pipeline: Pipeline, settings: Settings, folder: Path, *, days: int | None) -> Span:
    connector: Replay = resolve(str(pipeline.replay))()
    with _landing(folder) as root:

        def land(count: int) -> tuple[Window, ...]:
            windows = first_periods(pipeline, count)
            until = windows[-1].end + _LANDS_AHEAD
            connector.land(f"{root}/{pipeline.name}", until=until, feeds=list(pipeline.feeds))
            return windows

        needed = days or days_needed(pipeline, None)
        windows = land(needed)
        if days is None:
            here = settings.model_copy(update={"landing_uri": str(root), "storage_options": {}})
            needed = days_needed(pipeline, rows_a_day(pipeline, landed_files.list_files(pipeline, here), here))
            windows = land(needed)
        if not covers(windows, needed):
            raise DataContractError(_too_little(pipeline, windows, needed, f"replayed by {pipeline.replay}"))
    return Span(windows, _kept(root, folder), f"replayed by {pipeline.replay}")


@contextmanager
def _landing(folder: Path) -> Iterator[Path]:
    root = folder / f".landing-{uuid.uuid4().hex}.partial"
    root.mkdir(parents=True)
    try:
        yield root
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise


def _kept(root: Path, folder: Path) -> str:
    """Name a filled landing folder by what it holds; one of that name holds the same."""
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    final = folder / f"landing-{digest.hexdigest()[:12]}"
    try:
        root.rename(final)
    except OSError:
        shutil.rmtree(root)
    return str(final)


def _too_little(pipeline: Pipeline, windows: Sequence[Window], needed: int, where: str) -> str:
    there = (windows[-1].end - windows[0].start).days if windows else 0
    return (
        f"{pipeline.name}: {there} days of whole {pipeline.calendar} periods {where}, and one training with its "
        f"holdout needs {needed}: land more, declare a `replay`, or ask for fewer by --days"
    )
