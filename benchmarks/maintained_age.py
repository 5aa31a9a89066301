"""What an hour of a table costs after `airloop maintain` has looked after a year of hours, and of a table of ten."""

import time
from pathlib import Path

from tests.support import toy

from airloop.errors import DataContractError
from airloop.settings import Settings
from airloop.stores import lake
from airloop.upkeep import lake_files
from airloop.upkeep.maintain import Upkeep, maintain
from benchmarks import table_age
from benchmarks.row import Row, interleaved
from benchmarks.session import Session

NAME = "write and read an hour of a maintained table of 8,784 hours / of one of ten"
BOUND = 4.0
UNIT = "s"

_TABLES = ("raw/heat", "clean/heat", "features/machine_heat")
_REPOSITORY = Path(__file__).resolve().parents[1]


def measure(session: Session) -> Row:
    """Maintain a home with a year of hours in three tables, counted first; the second time changes nothing.

    Raises:
        DataContractError: A dry run counts otherwise, the second time does something, or rows have changed.
    """
    settings = toy.write_project(session.folder("maintained") / "project", _REPOSITORY)
    uris = [lake.table_uri(settings, "toy", *name.split("/")) for name in _TABLES]
    for uri in uris:
        session.say(f"{uri}: {table_age.OLD:,} hourly files")
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
        table_age.write_table(Path(uri), table_age.OLD)
    before = [_rows(uri, settings) for uri in uris]
    done, seconds = _maintained(settings)
    if [_rows(uri, settings) for uri in uris] != before:
        raise DataContractError("maintain changed what the tables hold")
    files, kept = _on_disk(uris[0])
    lake_files.vacuum(uris[0], settings, keep_days=0, dry_run=False)
    left, size = _on_disk(uris[0])
    young = table_age.write_table(session.folder("maintained"), table_age.YOUNG)
    sides = [table_age.trials(Path(uris[0]), table_age.OLD // 2, settings)]
    sides.append(table_age.trials(young, table_age.YOUNG // 2, settings))
    merged = sum(item.removed for item in done)
    note = (
        f"{merged:,} of {len(uris) * table_age.OLD:,} files less after {seconds:.0f} s, as a dry run had counted, and "
        f"nothing to do the second time; a table of {files:,} files and {kept / 1e6:.1f} MB is {left:,} files and "
        f"{size / 1e6:.1f} MB once what was replaced is not kept any more"
    )
    return Row(NAME, *interleaved(*sides), BOUND, UNIT, note)


def _maintained(settings: Settings) -> tuple[tuple[Upkeep, ...], float]:
    pipeline = toy.toy_pipeline(settings)
    counted = maintain(pipeline, settings, dry_run=True)
    began = time.monotonic()
    done = maintain(pipeline, settings, dry_run=False)
    seconds = time.monotonic() - began
    if done != counted:
        raise DataContractError(f"a dry run counted {counted}, and {done} was done")
    again = maintain(pipeline, settings, dry_run=False)
    if again:
        raise DataContractError(f"a second time {again} was done")
    return done, seconds


def _rows(uri: str, settings: Settings) -> str:
    rows = lake.read(uri, settings).sort_by([("at", "ascending"), ("key", "ascending")])
    return lake.content_digest(rows)


def _on_disk(uri: str) -> tuple[int, int]:
    """Files of rows below a table's folder, and their bytes."""
    files = list(Path(uri).glob("month=*/*.parquet"))
    return len(files), sum(file.stat().st_size for file in files)
