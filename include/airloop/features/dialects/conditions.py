"""Under which conditions an expression gives the same values on every engine.

Each condition yields what is wrong, and the way out.

Types matter because the engines convert silently and each its own way: 1.0 becomes '1.0' or '1', '7' equals 7 or fails.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

from airloop.features.dialects import instants
from airloop.features.dialects.families import families, family, is_double, is_integer, is_rounded, number
from airloop.features.dialects.parts import PARTS

Check = Callable[[exp.Expr], Iterator[str]]

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_MEETING = (exp.Add, exp.Sub, exp.Mul, exp.Coalesce, exp.Greatest, exp.Least)
_UNTOLD = "the type of a side cannot be told; write CAST(... AS DOUBLE) or another type"


def of_output(node: exp.Expr) -> Iterator[str]:
    """Of a column that the section gives."""
    kind = family(node)
    if kind == "interval":
        yield "gives an interval; write date_diff('second', a, b)"
    elif kind == "null":
        yield "is null without a type; write CAST(NULL AS DOUBLE), or another type"
    elif not kind:
        yield "the type of this column cannot be told; write CAST(... AS DOUBLE), or another type"


def _together(*names: str) -> Check:
    """The values of these arguments are compared, or one of them is taken: they are of one kind."""

    def check(node: exp.Expr) -> Iterator[str]:
        parts = [item for name in names for item in _listed(node.args.get(name))]
        kinds = families(*parts)
        if "" in kinds:
            yield _UNTOLD
        elif len(kinds) > 1:
            named = " and ".join(f"{'an' if kind[0] == 'i' else 'a'} {kind}" for kind in sorted(kinds))
            yield f"puts {named} together; engines convert them in different ways: cast one"

    return check


def _of(*kinds: str, says: str) -> Check:
    def check(node: exp.Expr) -> Iterator[str]:
        if not families(*_operands(node)) <= set(kinds):
            yield says

    return check


def _operands(node: exp.Expr) -> list[exp.Expr]:
    return [node.this] if "expression" not in node.args else [node.this, node.expression]


def _listed(value: object) -> list[exp.Expr]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, exp.Expr)]


def _arithmetic(node: exp.Expr) -> Iterator[str]:
    left, right = node.this, node.expression
    kinds = (family(left), family(right))
    if "" in kinds:
        yield _UNTOLD
    elif kinds[0] == "instant" and kinds[1] == "interval":
        if not isinstance(right.unnest(), exp.Interval):
            yield "adds an interval that is computed; write INTERVAL with a literal, like x - INTERVAL 15 MINUTE"
    elif "interval" in kinds:
        yield "computes an interval; write INTERVAL with a literal, like x - INTERVAL 15 MINUTE"
    elif not set(kinds) <= {"number", "null"}:
        yield "write date_diff('minute', a, b) between instants, and x + INTERVAL 15 MINUTE for a step"


def _literal(node: exp.Expr) -> Iterator[str]:
    """A decimal that float64 does not hold exactly has to meet a float64 in DuckDB too."""
    around = node.parent
    while isinstance(around, exp.Paren | exp.Neg):
        around = around.parent
    if not is_rounded(node) or is_double(node) or isinstance(around, (exp.Alias, exp.Cast, exp.Div, *_COMPARISONS)):
        return
    beside = around.iter_expressions() if isinstance(around, _MEETING) else iter(())
    if not any(is_double(item) for item in beside):
        yield f"is an exact decimal here and float64 elsewhere; write CAST({node.name} AS DOUBLE)"


def _division(node: exp.Expr) -> Iterator[str]:
    yield from _of("number", says="divides something else than numbers of a known type; cast both sides to DOUBLE")(
        node
    )
    if number(node.expression) == 0:
        yield "divides by 0"


def _remainder(node: exp.Expr) -> Iterator[str]:
    divisor = number(node.expression)
    if not is_integer(node.this) or not divisor or divisor != int(divisor):
        yield "write a whole number before % and a literal behind it, like hour % 6"


def _cast(node: exp.Expr) -> Iterator[str]:
    value, kind = node.this.unnest(), node.args["to"].this
    target, source, kinds = kind.value.upper().replace("TEXT", "VARCHAR"), family(value), exp.DataType.Type
    if kind == kinds.TIMESTAMPTZ and isinstance(value, exp.Literal):
        yield from instants.instant_literal(node, value)
    elif isinstance(value, exp.Null) and kind in (kinds.DOUBLE, kinds.BIGINT, kinds.TIMESTAMPTZ, kinds.VARCHAR):
        return
    elif kind == kinds.DOUBLE:
        if source not in ("number", "flag"):
            yield "reads a number out of a text, or of what cannot be told; declare the feed's column as a number"
    elif kind in (kinds.INT, kinds.BIGINT):
        whole = is_integer(value) and kind == kinds.BIGINT
        if not (source == "flag" or whole or isinstance(value, exp.Floor | exp.Ceil)):
            yield "rounds halves, and overflows, another way elsewhere; write CAST(floor(x) AS BIGINT)"
    elif not (kind in (kinds.VARCHAR, kinds.TEXT) and source == "text"):
        yield f"a cast to {target} is not proven elsewhere (DOUBLE and, of whole numbers and flags, BIGINT are)"


def _frame(node: exp.Expr) -> Iterator[str]:
    if str(node.args.get("kind") or "ROWS").upper() != "ROWS":
        bounds = (node.args.get("start"), node.args.get("end"))
        if any(isinstance(bound, exp.Expr) for bound in bounds):
            yield "write the frame in ROWS on a full grid; a RANGE with a width is not proven elsewhere"


def _case(node: exp.Expr) -> Iterator[str]:
    if node.args.get("this") is not None:
        yield "write CASE WHEN x = ... THEN"
        return
    branches = [item.args["true"] for item in node.args["ifs"]]
    kinds = families(*branches, *_listed(node.args.get("default")))
    if "" in kinds or len(kinds) > 1:
        yield "gives values of different or unknown types; cast the branches to one"


def _branch(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.parent, exp.Case):
        yield "write CASE WHEN ... THEN ... END"
    elif node.parent.args.get("this") is None and family(node.this) not in ("flag", "null"):
        yield "the condition is not a comparison; write x = 1, x IS NOT NULL, ..."


def _grouped(node: exp.Expr) -> Iterator[str]:
    select = node.parent
    if not node.args.get("all") or not isinstance(select, exp.Select):
        return
    keys = [item for item in select.expressions if not item.find(exp.AggFunc)]
    if any(item.find(exp.Window) for item in select.expressions) or not any(item.find(exp.Column) for item in keys):
        yield "GROUP BY ALL needs columns beside the aggregates, and no window; write the keys"


def _subquery(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.parent, exp.From | exp.Join | exp.Union):
        yield "a query within an expression is not proven elsewhere; write a join"


def _join(node: exp.Expr) -> Iterator[str]:
    if str(node.args.get("kind") or "").upper() in ("SEMI", "ANTI"):
        yield "write a JOIN with DISTINCT keys, or a LEFT JOIN and IS NULL"


def _like(node: exp.Expr) -> Iterator[str]:
    pattern = node.expression
    if family(node.this) != "text" or not (isinstance(pattern, exp.Literal) and "\\" not in pattern.name):
        yield "write LIKE of a text with a literal pattern without a backslash"


def _distinct(node: exp.Expr) -> Iterator[str]:
    if isinstance(node.parent, exp.Select) and node.expressions:
        yield "DISTINCT ON takes any row; write QUALIFY row_number() OVER (... ORDER BY ...) = 1"
    elif not isinstance(node.parent, exp.Select | exp.Count) or len(node.expressions) > 1:
        yield "only count(DISTINCT x) of one column is proven elsewhere"


def _filtered(node: exp.Expr) -> Iterator[str]:
    aggregate = node.this
    plain = isinstance(aggregate, exp.Sum | exp.Avg | exp.Min | exp.Max | exp.Count)
    if not plain or isinstance(aggregate.this, exp.Distinct) or family(node.expression.this) != "flag":
        yield "FILTER (WHERE condition) is proven behind count, sum, avg, min and max"


def _neighbour(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.parent, exp.Window):
        yield "stands in a window and without IGNORE NULLS"


def _nothing(_node: exp.Expr) -> Iterator[str]:
    return iter(())


_COMPARED = _together("this", "expression")
_FLAGS = _of("flag", says="joins something else than conditions; write x = 1, x IS NOT NULL, ...")
_NUMBERS = _of("number", says="is proven of numbers whose type is known; cast the value to DOUBLE")
_ORDERED_VALUES = _of("number", "text", "instant", says="is proven of numbers, texts and instants; cast the value")

CHECKS: dict[type[exp.Expr], Check] = {
    **dict.fromkeys(
        (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Nullif), _COMPARED
    ),
    **dict.fromkeys((exp.And, exp.Or, exp.Not), _FLAGS),
    **dict.fromkeys((exp.Sum, exp.Avg, exp.Abs, exp.Floor, exp.Ceil, exp.Neg), _NUMBERS),
    **dict.fromkeys((exp.Min, exp.Max), _ORDERED_VALUES),
    **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least), _together("this", "expressions")),
    **dict.fromkeys((exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue), _neighbour),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul), _arithmetic),
    **dict.fromkeys(
        (exp.Select, exp.Table, exp.With, exp.Union, exp.Window, exp.Ordered, exp.Column, exp.Is), _nothing
    ),
    **dict.fromkeys((exp.Extract, *{kind for kind in PARTS.values() if kind is not None}), instants.part),
    exp.Between: _together("this", "low", "high"),
    exp.In: _together("this", "expressions"),
    exp.DPipe: _of("text", says="joins texts; engines write a number or an instant as text in different ways"),
    exp.Literal: _literal,
    exp.Div: _division,
    exp.Mod: _remainder,
    exp.Cast: _cast,
    exp.DateBin: instants.bucket,
    exp.Interval: instants.interval,
    exp.DateDiff: instants.difference,
    exp.TimestampTrunc: instants.truncated,
    exp.AtTimeZone: instants.zone,
    exp.Explode: instants.series,
    exp.GenerateSeries: instants.generated,
    exp.WindowSpec: _frame,
    exp.Case: _case,
    exp.If: _branch,
    exp.Group: _grouped,
    exp.Subquery: _subquery,
    exp.Join: _join,
    exp.Like: _like,
    exp.Filter: _filtered,
    exp.Distinct: _distinct,
}
