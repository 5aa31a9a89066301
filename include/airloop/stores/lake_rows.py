"""Rows of a lake table that stay in the lake until somebody reads them: which table, which version, known when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from airloop.errors import UpstreamUnavailable
from airloop.files.delta_files import matching
from airloop.settings import Settings
from airloop.stores import lake

_INSTANT_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True)
class LakeRows:
    """The rows of one version of a table with known_at in [since, before).

    Attributes:
        since: None for no lower bound.
        columns: Of the table, without the partition column, in its order.
    """

    uri: str
    version: int
    since: datetime | None
    before: datetime
    columns: tuple[str, ...]
    settings: Settings

    def known_by(self, instant: datetime) -> "LakeRows":
        """Those of them with known_at <= instant."""
        return replace(self, before=min(self.before, instant + _INSTANT_AFTER))

    def batches(self) -> pa.RecordBatchReader:
        """The rows, a few at a time; never all of them in memory.

        Raises:
            UpstreamUnavailable: The table is gone.
        """
        table = lake.open_table(self.uri, self.settings, version=self.version)
        if table is None:
            raise UpstreamUnavailable(f"{self.uri}: is not there any more; run the stage that writes it")
        rows = matching(table, self._where())
        return rows.scanner(columns=list(self.columns), filter=self._where(), batch_readahead=2).to_reader()

    def table(self) -> pa.Table:
        """All rows at once."""
        return self.batches().read_all()

    def _where(self) -> pc.Expression:
        where = ds.field("known_at") < lake.instant(self.before)
        return where if self.since is None else where & (ds.field("known_at") >= lake.instant(self.since))


def lake_rows(uri: str, settings: Settings, *, since: datetime | None, before: datetime) -> LakeRows | None:
    """The newest version's rows known in time, not read yet; None when nothing was written there."""
    table = lake.open_table(uri, settings)
    if table is None:
        return None
    names = tuple(field.name for field in table.schema().to_pyarrow() if field.name != lake.PARTITION)
    return LakeRows(uri, table.version(), since, before, names, settings)


Rows: TypeAlias = pa.Table | LakeRows
Feeds: TypeAlias = Mapping[str, Rows]
