"""Expected rows against computed ones: every difference a line that says row, column and both values."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from airloop.config.nearest import nearest
from airloop.errors import ConfigError, DataContractError
from airloop.records import parse_instant

Row = Mapping[str, Any]
_TOLERANCE = 1e-9


def differing(expected: Sequence[Row], actual: pa.Table, *, place: str) -> list[str]:
    """What of the expected rows is not there, and what is there beside them.

    Args:
        expected: Texts, None for a missing value; each row is compared by the columns that it names.
        place: For messages: where the expected rows stand.

    Raises:
        ConfigError: A column that the table does not have, or a text that is not of its type.
    """
    columns = list(dict.fromkeys(name for row in expected for name in row))
    for name in columns:
        if name not in actual.schema.names:
            valid = ", ".join(actual.schema.names)
            raise ConfigError(
                f"{place}: has no column {name!r} (its columns: {', '.join(valid)}){nearest(name, valid)}"
            )
    rows = [{name: _value(text, actual, name, place) for name, text in row.items()} for row in expected]
    left = actual.select(columns).to_pylist() if columns else [{} for _ in range(actual.num_rows)]
    # Rows that name more choose first: one that names less fits them, too.
    by_columns = sorted(range(len(rows)), key=lambda number: -len(rows[number]))
    absent = {number for number in by_columns if not _take(rows[number], left)}
    missing = [row for number, row in enumerate(rows) if number in absent]
    return [*_paired(missing, left), *(f"not expected: {_shown(row)}" for row in left)]


def _paired(missing: Sequence[Row], unexpected: list[Row]) -> list[str]:
    """Each expected row that is missing beside the computed one of the same first column, where there is one."""
    lines = []
    for row in missing:
        first = next(iter(row), "")
        other = next((item for item in unexpected if first and _same(item[first], row[first])), None)
        if other is None:
            lines.append(f"missing: {_shown(row)}")
            continue
        unexpected.remove(other)
        lines += [
            f"{first}={_text(row[first])}: {name} is {_text(other[name])}, expected {_text(row[name])}"
            for name in row
            if not _same(row[name], other[name])
        ]
    return lines


def _take(row: Row, rows: list[Row]) -> bool:
    """Take the first equal row out of `rows`."""
    for number, other in enumerate(rows):
        if all(_same(row[name], other[name]) for name in row):
            del rows[number]
            return True
    return False


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, (int, float)) and not isinstance(other, bool):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return bool(one == other)


def _value(text: Any, actual: pa.Table, name: str, place: str) -> Any:
    """A text as a value of the column's type."""
    if text is None:
        return None
    kind = actual.schema.field(name).type
    try:
        return _read(text, kind)
    except (ValueError, TypeError, DataContractError) as error:
        raise ConfigError(f"{place}: {name} is {kind}, and {text!r} is not one ({error})") from error


def _read(text: Any, kind: pa.DataType) -> Any:
    if pa.types.is_list(kind):
        return [_read(item, kind.value_type) for item in text]
    if pa.types.is_boolean(kind):
        return _boolean(str(text))
    if pa.types.is_timestamp(kind):
        return parse_instant(str(text))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return float(text)
    return str(text)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("write true or false")
    return text.lower() == "true"


def _shown(row: Row) -> str:
    return ", ".join(f"{name}={_text(value)}" for name, value in row.items())


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return f"{value:g}" if isinstance(value, float) else str(value)
