"""What PostgreSQL writes in another way than DuckDB."""

import datetime as dt

from sqlglot import exp

from airloop.features.dialects.buckets import origin_of, seconds_of
from airloop.features.dialects.parts import part_of
from airloop.features.dialects.rewriting import Rule, quotient, template

_DIALECT = "postgres"


def _bucket(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.DateBin):
        return node
    origin = dt.datetime.fromtimestamp(origin_of(node), dt.UTC)
    text = f"DATE_BIN(INTERVAL '{seconds_of(node)} SECOND', __x, TIMESTAMPTZ '{origin:%Y-%m-%d %H:%M:%S}+00')"
    return template(text, _DIALECT, x=node.expression)


def _part(node: exp.Expr) -> exp.Expr:
    unit, value = part_of(node)
    if not unit:
        return node
    kind = "DOUBLE PRECISION" if unit == "EPOCH" else "BIGINT"
    return template(f"CAST(EXTRACT({unit} FROM __x) AS {kind})", _DIALECT, x=value)


def _difference(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.DateDiff):
        return node
    step = seconds_of(node)
    text = f"CAST(FLOOR(EXTRACT(EPOCH FROM __b) / {step}) - FLOOR(EXTRACT(EPOCH FROM __a) / {step}) AS BIGINT)"
    return template(text, _DIALECT, b=node.this, a=node.expression)


def _series(node: exp.Expr) -> exp.Expr:
    # PostgreSQL's generate_series is a set already.
    return node.this if isinstance(node, exp.Explode) else node


def _division(node: exp.Expr) -> exp.Expr:
    return quotient(node, _DIALECT, text_type="TEXT", minus_zero="-0") if isinstance(node, exp.Div) else node


def _floor(node: exp.Expr) -> exp.Expr:
    """Of a decimal it would be a decimal, and of a sum of whole numbers one of 131,072 digits."""
    if isinstance(node, exp.Floor | exp.Ceil):
        node.set("this", exp.cast(node.this.copy(), "DOUBLE"))
    return node


def _binary_order(node: exp.Expr) -> exp.Expr:
    """Texts are compared by their bytes, whatever the database's language; columns have that from their table."""
    plain_parents = (exp.Cast, exp.Interval, exp.AtTimeZone, exp.Collate, exp.DateBin, exp.Like)
    if isinstance(node, exp.Literal) and node.is_string and not isinstance(node.parent, plain_parents):
        return exp.Collate(this=node.copy(), expression=exp.to_identifier("C", quoted=True))
    return node


# Texts first: the other rules make texts of their own.
RULES: tuple[Rule, ...] = (_binary_order, _floor, _bucket, _part, _difference, _series, _division)
