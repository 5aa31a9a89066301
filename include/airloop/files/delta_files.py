"""The files of a Delta table that can hold rows of a filter, as a dataset: a window costs the same at any age.

`DeltaTable.to_pyarrow_dataset` makes one expression of all statistics of every file before any filter is looked at
(0.4 ms a file: seconds after a year of hourly commits). Here files are put into groups with common bounds, the files of
a group that a filter cannot rule out into smaller ones, and only few files get bounds of their own.
"""

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pa_fs
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

_READER = 1
"""Delta's reader version without deletion vectors or renamed columns; the lake's own writes need no other."""
_PARTITION = "partition."
_GROUPS = 20
"""So many groups have the root of the files of a year of hours each."""
_CUT = timedelta(milliseconds=1)
"""Delta keeps bounds of instants in milliseconds, cut off: a value may lie above its maximum by less than this."""

_FORMAT = ds.ParquetFileFormat(default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True))


def matching(table: DeltaTable, where: pc.Expression | None) -> ds.Dataset:
    """The table's files that may hold a row of `where`, all of them without one; the filter is still to be applied.

    Files are told apart by their partition and by the bounds of columns of instants.
    """
    if where is None or table.protocol().min_reader_version != _READER:
        return table.to_pyarrow_dataset()
    schema = table.schema().to_pyarrow()
    files = pa.table(table.get_add_actions(flatten=True))
    bounded = [field.name for field in schema if pa.types.is_timestamp(field.type) and _has_bounds(files, field.name)]
    if bounded:
        files = files.sort_by(f"min.{bounded[0]}")
    handler = DeltaStorageHandler.from_table(table._table, table._storage_options, table._table.get_add_file_sizes())
    reading = _Reading(schema, tuple(bounded), pa_fs.PyFileSystem(handler))
    return reading.dataset(reading.within(files, where))


def _has_bounds(files: pa.Table, name: str) -> bool:
    return {f"min.{name}", f"max.{name}", f"null_count.{name}"} <= {*files.schema.names}


@dataclass(frozen=True)
class _Reading:
    schema: pa.Schema
    bounded: tuple[str, ...]
    filesystem: pa_fs.FileSystem

    def within(self, files: pa.Table, where: pc.Expression) -> Iterator[ds.Fragment]:
        """Files whose last group `where` does not rule out, in their order."""
        size = max(1, -(-files.num_rows // _GROUPS))
        groups = [files.slice(start, size) for start in range(0, files.num_rows, size)]
        by_first = {group["path"][0].as_py(): group for group in groups}
        fragments = [self._fragment(path, group) for path, group in by_first.items()]
        if size == 1:
            yield from fragments
            return
        for stand_in in self.dataset(fragments).get_fragments(filter=where):
            yield from self.within(by_first[stand_in.path], where)

    def dataset(self, fragments: Iterable[ds.Fragment]) -> ds.Dataset:
        return ds.FileSystemDataset(list(fragments), self.schema, _FORMAT, self.filesystem)

    def _fragment(self, path: str, files: pa.Table) -> ds.Fragment:
        """The file at `path` with what is true of every row of `files`."""
        known = [*self._partitions(files), *(bound for name in self.bounded for bound in self._bounds(name, files))]
        what_holds = reduce(operator.and_, known) if known else None
        return _FORMAT.make_fragment(path, filesystem=self.filesystem, partition_expression=what_holds)

    def _partitions(self, files: pa.Table) -> Iterator[pc.Expression]:
        for column in files.schema.names:
            if column.startswith(_PARTITION):
                values = files[column].unique()
                field = ds.field(column.removeprefix(_PARTITION))
                # The partition column stands in no file: it gets its value from this equality.
                if len(values) == 1:
                    yield field.is_null() if values[0].as_py() is None else field == values[0]

    def _bounds(self, name: str, files: pa.Table) -> Iterator[pc.Expression]:
        least, most = files[f"min.{name}"], files[f"max.{name}"]
        # A file without statistics may hold anything.
        if least.null_count or most.null_count:
            return
        kind, field = self.schema.field(name).type, ds.field(name)
        low, high = pc.min(least).cast(kind), pa.scalar(pc.max(most).as_py() + _CUT, kind)
        inside = (field >= low) & (field <= high)
        nulls = pc.sum(files[f"null_count.{name}"]).as_py()
        yield inside if nulls == 0 else inside | field.is_null()
