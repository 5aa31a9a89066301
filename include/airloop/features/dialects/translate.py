"""One section after the other to another engine's SQL: read, refuse what is not proven, carry the rest."""

import pyarrow as pa
from sqlglot import exp

from airloop.features.dialects import proven, source_tree
from airloop.features.dialects.carry import carry
from airloop.features.dialects.values import Values


class OffTheList(ValueError):
    """What of a query is not proven on other engines."""

    def __init__(self, refusals: tuple[proven.Refusal, ...]) -> None:
        super().__init__("; ".join(item.says for item in refusals))
        self.refusals = refusals


class Translator:
    """Translates the sections of one window in file order: a step's columns are known to those after it."""

    def __init__(self, dialect: str, values: Values, tables: source_tree.Tables) -> None:
        self.dialect = dialect
        self._values = values
        self._tables = dict(tables)

    def translate(self, sql: str, *, step: str | None = None) -> str:
        """The query in the dialect.

        Args:
            step: The name under which later sections read its rows; None when none does.

        Raises:
            OffTheList: With every expression that is not proven.
        """
        try:
            tree = source_tree.read(sql, self._values, self._tables)
        except source_tree.NotRead as error:
            raise OffTheList((proven.Refusal(error.line, "", str(error)),)) from error
        refused = proven.refusals(tree, self._tables)
        if step is not None:
            self._tables[step] = source_tree.columns_of(tree)
        if refused:
            raise OffTheList(tuple(refused))
        return carry(tree, self.dialect)

    def know(self, name: str, columns: pa.Schema) -> None:
        """Say which columns a table has that no query made."""
        self._tables[name] = {field.name: exp.DataType.build(_type(field.type)) for field in columns}


def _type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ"
    if pa.types.is_integer(kind):
        return "BIGINT"
    if pa.types.is_floating(kind):
        return "DOUBLE"
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    return "VARCHAR" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else "UNKNOWN"
