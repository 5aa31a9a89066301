"""What records name, as OpenLineage datasets: named as its naming conventions say, so that a reader joins the stages.

A local file or folder is `file` and its absolute path, an object `s3://bucket` and its key. A table of the lake is its
folder. A feed's landed files are one dataset, their folder. A model is `mlflow` and `<name>/<version>`.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airloop.deployment import Deployment
from airloop.files.delta_versions import NOT_WRITTEN
from airloop.records import LandedFile, Materialized, Scored, Snapshot, TableVersion, TrainedModel
from airloop.stores import lake
from airloop.stores.tables_read import TablesRead

SPEC = "https://openlineage.io/spec"

Dataset = dict[str, Any]


def facet(producer: str, name: str, version: str, **content: Any) -> dict[str, Any]:
    """One facet, with the address of its schema."""
    return {"_producer": producer, "_schemaURL": f"{SPEC}/facets/{version}/{name}.json#/$defs/{name}", **content}


class Datasets:
    """The datasets of one side of a run, each once, in the order in which they were met.

    Attributes:
        described: Whether tables are opened for their columns; those that a run reads were described by who wrote them.
    """

    def __init__(self, at: Deployment, producer: str, *, described: bool) -> None:
        """None yet."""
        self._at, self._producer, self._described = at, producer, described
        self._found: dict[tuple[str, str], Dataset] = {}

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self._found.values())

    def names(self) -> set[tuple[str, str]]:
        """Namespace and name of each."""
        return set(self._found)

    def take(self, value: Any) -> None:
        """Tables, training sets, models and online values that a record names, or a record within it, or several."""
        match value:
            case TableVersion():
                self._table(value.uri, value.version, rows=value.rows)
            case Snapshot():
                self._add(*address(value.uri), version=value.digest, fields=[(name, "") for name in value.features])
            case TrainedModel():
                self._add("mlflow", f"{value.model_name}/{value.version}", version=value.model_digest)
            case Scored():
                uri = lake.table_uri(self._at.settings, self._at.pipeline.name, "predictions", "predictions")
                self._table(uri, value.table_version, rows=value.rows)
            case Materialized():
                for view, rows in value.rows.items():
                    self._add("feast", f"{self._at.pipeline.name}/online/{view}", rows=rows)
            case _:
                self._take_within(value)

    def take_files(self, files: Iterable[LandedFile]) -> None:
        """The folders of landed files: a feed is one dataset."""
        for folder in {file.uri.rsplit("/", 1)[0]: None for file in files}:
            self._add(*address(folder))

    def _take_within(self, value: Any) -> None:
        if isinstance(value, TablesRead):
            for uri, version in value.versions.items():
                self._table(uri, version)
        elif isinstance(value, Mapping):
            self._take_each(value.values())
        elif isinstance(value, tuple | list):
            self._take_each(value)
        elif dataclasses.is_dataclass(value):
            self._take_each(getattr(value, field.name) for field in dataclasses.fields(value))

    def _take_each(self, values: Iterable[Any]) -> None:
        for value in values:
            self.take(value)

    def _table(self, uri: str, version: int, *, rows: int | None = None) -> None:
        if version == NOT_WRITTEN:
            return
        table = lake.open_table(uri, self._at.settings, version=version) if self._described else None
        schema = [] if table is None else table.schema().to_pyarrow()
        fields = [(field.name, str(field.type)) for field in schema if field.name != lake.PARTITION]
        self._add(*address(uri), version=str(version), fields=fields, rows=rows)

    def _add(
        self,
        namespace: str,
        name: str,
        *,
        version: str = "",
        fields: Sequence[tuple[str, str]] = (),
        rows: int | None = None,
    ) -> None:
        facets: dict[str, Any] = {}
        if version:
            facets["version"] = self._facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=version)
        if fields:
            described = [{"name": field, **({"type": kind} if kind else {})} for field, kind in fields]
            facets["schema"] = self._facet("SchemaDatasetFacet", "1-1-1", fields=described)
        dataset: Dataset = {"namespace": namespace, "name": name, "facets": facets}
        if rows is not None and self._described:
            statistics = self._facet("OutputStatisticsOutputDatasetFacet", "1-0-2", rowCount=rows)
            dataset["outputFacets"] = {"outputStatistics": statistics}
        self._found.setdefault((namespace, name), dataset)

    def _facet(self, name: str, version: str, **content: Any) -> dict[str, Any]:
        return facet(self._producer, name, version, **content)


def address(uri: str) -> tuple[str, str]:
    """Namespace and name of a file, folder or object; user, password and query of a URL are left out."""
    if "://" not in uri:
        return "file", str(Path(uri).absolute())
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return "file", parts.path
    return f"{parts.scheme}://{parts.hostname or ''}", parts.path.strip("/") or "/"
