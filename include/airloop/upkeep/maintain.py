"""maintain: everything of a pipeline that grows without being needed, looked at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.upkeep import (
    lake_files,
    named_versions,
    old_lineage,
    old_references,
    old_reports,
    online_values,
    replaced_records,
)


@dataclass(frozen=True)
class Upkeep:
    """One thing that was done, or that a dry run would do.

    Attributes:
        what: compact, vacuum, online, records, lineage, reports or references.
        where: The table, view, stage or folder.
        removed: Files, values or records that are gone.
        freed_bytes: Bytes of the files; of records their text.
    """

    what: str
    where: str
    removed: int
    freed_bytes: int


def maintain(
    pipeline: Pipeline, settings: Settings, *, dry_run: bool, say: Callable[[str], None] = lambda _line: None
) -> tuple[Upkeep, ...]:
    """Put small files of closed months together and remove what was replaced longer ago than `retention` keeps it.

    Nothing that the ledger, a registered version or a newer record stands on is removed, and no input key changes. What
    is done again right away does nothing. Killed in between, the next call does the rest.

    Args:
        dry_run: Count, and change nothing.

    Raises:
        GuardRefused: The ledger does not verify, looked at as a whole: nothing is removed.
        UpstreamUnavailable: A store does not answer.
    """
    if problems := ledger.verify(settings, pipeline.name):
        raise GuardRefused(ledger.refusal(pipeline.name, problems))
    now = datetime.now(UTC)
    done = []
    for upkeep in _each(pipeline, settings, now=now, dry_run=dry_run):
        say(f"{upkeep.what} {upkeep.where}: {upkeep.removed:,}")
        done.append(upkeep)
    return tuple(done)


def _each(pipeline: Pipeline, settings: Settings, *, now: datetime, dry_run: bool) -> Iterator[Upkeep]:
    keep, named = pipeline.retention, named_versions.named_versions(pipeline, settings, now=now)
    for uri in lake_files.table_uris(pipeline.name, settings):
        where = uri.removeprefix(f"{settings.lake_uri}/{pipeline.name}/")
        merged = lake_files.compact(uri, settings, dry_run=dry_run)
        if merged:
            yield Upkeep("compact", where, merged, 0)
        files, freed = lake_files.vacuum(
            uri, settings, keep_days=keep.replaced_files_days, dry_run=dry_run, named=named.get(uri, ())
        )
        if files:
            yield Upkeep("vacuum", where, files, freed)
    for view, (count, freed) in online_values.remove(pipeline, settings, dry_run=dry_run).items():
        yield Upkeep("online", view, count, freed)
    for stage, (count, freed) in replaced_records.remove(pipeline, settings, now=now, dry_run=dry_run).items():
        yield Upkeep("records", stage, count, freed)
    for what, (files, freed) in _old_files(pipeline, settings, now=now, dry_run=dry_run):
        if files:
            yield Upkeep(what, pipeline.name, files, freed)


def _old_files(
    pipeline: Pipeline, settings: Settings, *, now: datetime, dry_run: bool
) -> Iterator[tuple[str, tuple[int, int]]]:
    """What is removed by its age, or with its version: its name, how many files, and their bytes."""
    keep, name = pipeline.retention, pipeline.name
    if (days := keep.lineage_days) is not None:
        yield "lineage", old_lineage.remove(name, settings, now=now, days=days, dry_run=dry_run)
    if (days := keep.reports_days) is not None:
        yield "reports", old_reports.remove(name, settings, now=now, days=days, dry_run=dry_run)
    yield "references", old_references.remove(name, settings, dry_run=dry_run)
