"""Files of lineage events that are older than a pipeline keeps them."""

from datetime import date, datetime, timedelta
from pathlib import Path

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings


def remove(pipeline: str, settings: Settings, *, now: datetime, days: int, dry_run: bool) -> tuple[int, int]:
    """Remove the files of days before now - days, by their names: how many, and their bytes.

    Raises:
        UpstreamUnavailable: A file cannot be removed.
    """
    until = (now - timedelta(days=days)).date()
    files = sorted((settings.home / "lineage" / pipeline).glob("*.jsonl"))
    old = [file for file in files if (day := _day(file)) is not None and day < until]
    try:
        sizes = [file.stat().st_size for file in old]
        for file in () if dry_run else old:
            file.unlink()
    except OSError as error:
        raise UpstreamUnavailable(f"lineage of {pipeline} cannot be removed: {error}") from error
    return len(old), sum(sizes)


def _day(file: Path) -> date | None:
    """The day of a file; None of one that somebody else put there."""
    try:
        return date.fromisoformat(file.stem)
    except ValueError:
        return None
