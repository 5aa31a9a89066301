"""What Spark writes in another way than DuckDB."""

from sqlglot import exp

from airloop.features.dialects.buckets import origin_of, seconds_of
from airloop.features.dialects.families import family, is_integer
from airloop.features.dialects.parts import part_of
from airloop.features.dialects.rewriting import Rule, quotient, template

_DIALECT = "spark"
_MICROS = 1_000_000
_RANK = (
    "CASE WHEN __x IS NULL THEN NULL WHEN ISNAN(__x) THEN 4 WHEN ABS(__x) < CAST('Infinity' AS DOUBLE) THEN 2 "
    "WHEN __x > 0 THEN 3 ELSE 1 END"
)
_BY_RANK = (
    "CASE WHEN __rank = 4 THEN CAST('NaN' AS DOUBLE) WHEN __rank = 3 THEN CAST('Infinity' AS DOUBLE) "
    "WHEN __rank = 2 THEN __finite WHEN __rank = 1 THEN CAST('-Infinity' AS DOUBLE) END"
)
_WHOLE_FROM = 2**53
"""A float64 of this size has no fraction."""
_PARTS = {
    "ISODOW": "CAST((DAYOFWEEK(__x) + 5) % 7 + 1 AS BIGINT)",
    "DOW": "CAST(DAYOFWEEK(__x) - 1 AS BIGINT)",
    "EPOCH": "CAST(UNIX_MICROS(__x) AS DOUBLE) / CAST(1000000 AS DOUBLE)",
}


def _bucket(node: exp.Expr) -> exp.Expr:
    """In microseconds and whole numbers: UNIX_SECONDS drops fractions towards 1970, a division by / would round."""
    if not isinstance(node, exp.DateBin):
        return node
    step, shift = seconds_of(node) * _MICROS, origin_of(node) % seconds_of(node) * _MICROS
    text = f"TIMESTAMP_MICROS(UNIX_MICROS(__x) - PMOD(UNIX_MICROS(__x) - {shift}, {step}))"
    return template(text, _DIALECT, x=node.expression)


def _part(node: exp.Expr) -> exp.Expr:
    unit, value = part_of(node)
    text = _PARTS.get(unit, f"CAST(EXTRACT({unit} FROM __x) AS BIGINT)")
    return template(text, _DIALECT, x=value) if unit else node


def _difference(node: exp.Expr) -> exp.Expr:
    """Spark counts whole units that have passed, DuckDB the boundaries between them."""
    if not isinstance(node, exp.DateDiff):
        return node
    step = seconds_of(node) * _MICROS
    started = "UNIX_MICROS({0}) - PMOD(UNIX_MICROS({0}), {1})"
    text = f"CAST((({started.format('__b', step)}) - ({started.format('__a', step)})) / {step} AS BIGINT)"
    return template(text, _DIALECT, b=node.this, a=node.expression)


def _series(node: exp.Expr) -> exp.Expr:
    """SEQUENCE raises when it would have to go backwards; the null that stands there instead explodes to no row."""
    if not isinstance(node, exp.Explode) or not isinstance(node.this, exp.GenerateSeries):
        return node
    start, end = node.this.args["start"], node.this.args["end"]
    text = "EXPLODE(CASE WHEN __start <= __end THEN SEQUENCE(__start, __end, __step) END)"
    return template(text, _DIALECT, start=start, end=end, step=node.this.args["step"])


def _division(node: exp.Expr) -> exp.Expr:
    return quotient(node, _DIALECT, text_type="STRING", minus_zero="-0.0") if isinstance(node, exp.Div) else node


def _sum(node: exp.Expr) -> exp.Expr:
    """A sum of whole numbers overflows at 2^63; DuckDB's does not, and a feature is a float64 in the end."""
    if isinstance(node, exp.Sum) and is_integer(node.this):
        node.set("this", exp.cast(node.this.copy(), "DOUBLE"))
    return node


def _extreme(node: exp.Expr) -> exp.Expr:
    """Least and largest float64 of a group, by rank first: some servers pass over NaN, and know no infinity there."""
    over = node if isinstance(node, exp.Window) else None
    aggregate = node.this if over is not None else node
    inside = over is None and isinstance(node.parent, exp.Window)
    if inside or not isinstance(aggregate, exp.Min | exp.Max) or not _is_float(aggregate.this):
        return node
    name = "MAX" if isinstance(aggregate, exp.Max) else "MIN"

    def of(text: str) -> exp.Expr:
        expression = template(f"{name}({text})", _DIALECT, x=aggregate.this)
        if over is not None:
            expression, alone = over.copy(), expression
            expression.set("this", alone)
        return expression

    return template(_BY_RANK, _DIALECT, rank=of(_RANK), finite=of(f"CASE WHEN {_RANK} = 2 THEN __x END"))


def _is_float(node: exp.Expr) -> bool:
    return family(node) == "number" and not is_integer(node)


def _rounded(node: exp.Expr) -> exp.Expr:
    """Spark's floor is a whole number: NaN becomes 0 there, and what is larger the largest one."""
    if not isinstance(node, exp.Floor | exp.Ceil):
        return node
    name = "FLOOR" if isinstance(node, exp.Floor) else "CEIL"
    text = f"CASE WHEN ABS(__x) < {_WHOLE_FROM} THEN CAST({name}(__x) AS DOUBLE) ELSE __x END"
    return template(text, _DIALECT, x=exp.cast(node.this.copy(), "DOUBLE"))


def _checked(node: exp.Expr) -> exp.Expr:
    """Whole numbers beyond 2^63 wrap around in silence on some servers; DuckDB raises, and so does this cast."""
    if isinstance(node, exp.Add | exp.Sub | exp.Mul) and _is_whole(node.left) and _is_whole(node.right):
        for side in ("this", "expression"):
            node.set(side, exp.cast(node.args[side].copy(), "DECIMAL(20, 0)"))
        return exp.cast(exp.paren(node.copy()), "BIGINT")
    return node


def _is_whole(node: exp.Expr) -> bool:
    # A sum is a float64 by now.
    return is_integer(node) and node.find(exp.Sum) is None


RULES: tuple[Rule, ...] = (_extreme, _bucket, _part, _difference, _series, _division, _sum, _rounded, _checked)
