"""Widths and origins in seconds, of what is proven to be written as literals."""

import datetime as dt

from sqlglot import exp

SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
_ORIGIN = dt.datetime(2000, 1, 3, tzinfo=dt.UTC)
"""DuckDB's of widths below a month: a Monday."""


def unit_of(node: exp.Expr) -> str:
    """The unit of an interval, a difference or a truncation, in capitals and singular; empty when it has none."""
    unit = node.args.get("unit")
    return unit.name.upper().removesuffix("S") if unit is not None else ""


def count_of(node: exp.Expr) -> int | None:
    """How many units an interval has, written as a literal; None where it is computed, not whole or not positive."""
    amount = node.this if isinstance(node, exp.Interval) else None
    text = amount.name if isinstance(amount, exp.Literal) else ""
    return int(text) if text.isdigit() and int(text) > 0 else None


def seconds_of(node: exp.Expr) -> int:
    """The width of a bucket (DateBin), or the unit of a difference."""
    if isinstance(node, exp.DateBin):
        return (count_of(node.this) or 0) * SECONDS[unit_of(node.this)]
    return SECONDS[unit_of(node)]


def origin_of(node: exp.Expr) -> int:
    """Seconds since 1970 at which a bucket begins; sqlglot keeps DuckDB's origin as the unit of a DateBin."""
    origin = node.args.get("unit")
    at = _ORIGIN if origin is None else dt.datetime.fromisoformat(origin.this.name)
    return int((at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp())
