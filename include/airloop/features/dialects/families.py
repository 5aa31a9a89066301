"""What the values of an expression are, as far as engines agree on them: numbers, texts, instants, flags."""

from decimal import Decimal, InvalidOperation

from sqlglot import exp

_KINDS = exp.DataType.Type
INTEGERS = frozenset({*exp.DataType.INTEGER_TYPES, _KINDS.INT128, _KINDS.INT256})
_FAMILIES: dict[exp.DType, str] = {
    **dict.fromkeys(INTEGERS, "number"),
    **dict.fromkeys(exp.DataType.FLOAT_TYPES, "number"),
    _KINDS.DECIMAL: "number",
    _KINDS.VARCHAR: "text",
    _KINDS.TEXT: "text",
    _KINDS.TIMESTAMPTZ: "instant",
    _KINDS.BOOLEAN: "flag",
    _KINDS.INTERVAL: "interval",
    _KINDS.NULL: "null",
}


def family(node: exp.Expr | None) -> str:
    """One of number, text, instant, flag, interval, null; empty where it cannot be told."""
    if isinstance(node, exp.Paren | exp.Alias):
        return family(node.this)
    if isinstance(node, exp.Null):
        return "null"
    if node is None or node.type is None:
        return ""
    return _FAMILIES.get(node.type.this, "")


def families(*nodes: exp.Expr) -> set[str]:
    """Those of several expressions; what is always null goes with everything."""
    return {family(node) for node in nodes} - {"null"}


def is_integer(node: exp.Expr) -> bool:
    """Whether it is known to be a whole number by its type."""
    return node.type is not None and node.type.this in INTEGERS


def is_double(node: exp.Expr) -> bool:
    """Whether DuckDB computes it in float64: what only looks like it (3.5) is a decimal there."""
    inner = node.unnest()
    if isinstance(inner, exp.Literal):
        return "e" in inner.name.lower()
    if isinstance(inner, exp.Div | exp.Avg):
        return True
    if isinstance(inner, exp.Add | exp.Sub | exp.Mul):
        return is_double(inner.left) or is_double(inner.right)
    if isinstance(inner, exp.Neg | exp.Window | exp.Sum | exp.Min | exp.Max | exp.Abs | exp.Filter):
        return is_double(inner.this)
    return inner.type is not None and inner.type.this in exp.DataType.FLOAT_TYPES


def number(node: exp.Expr) -> Decimal | None:
    """The value of a literal, its sign included; None for anything else."""
    inner = node.unnest()
    if isinstance(inner, exp.Neg):
        value = number(inner.this)
        return None if value is None else -value
    if not isinstance(inner, exp.Literal) or inner.is_string:
        return None
    try:
        return Decimal(inner.name)
    except InvalidOperation:
        return None


def is_rounded(node: exp.Expr) -> bool:
    """Whether a literal is another number in float64 than as a decimal (0.1 is, 0.5 and 3.0 are not)."""
    value = number(node)
    return value is not None and Decimal(float(value)) != value
