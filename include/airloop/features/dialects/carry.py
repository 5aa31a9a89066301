"""DuckDB's SQL in another engine's words, rows unchanged: rules on sqlglot's tree for what sqlglot prints wrongly."""

from sqlglot import exp

from airloop.features.dialects import postgres_rules, spark_rules
from airloop.features.dialects.families import family, is_integer
from airloop.features.dialects.rewriting import Rule, rewrite

_RULES: dict[str, tuple[Rule, ...]] = {"postgres": postgres_rules.RULES, "spark": spark_rules.RULES}
DIALECTS = tuple(_RULES)
_FOREVER = "9999-12-31 00:00:00+00:00"


def carry(tree: exp.Expr, dialect: str) -> str:
    """The text of a typed tree (source_tree.read) of which everything is proven (proven.refusals is empty).

    Args:
        dialect: sqlglot's name of the engine's SQL, one of DIALECTS.
    """
    tree = tree.copy()
    _group_by_all(tree)
    for rule in (*_COMMON, *_RULES[dialect]):
        tree = rewrite(tree, rule)
    return tree.sql(dialect=dialect, comments=False)


def _group_by_all(tree: exp.Expr) -> None:
    for select in tree.find_all(exp.Select):
        group = select.args.get("group")
        if group is not None and group.args.get("all"):
            keys = [item.unalias().copy() for item in select.expressions if not item.find(exp.AggFunc)]
            select.set("group", exp.Group(expressions=[key for key in keys if key.find(exp.Column)]))


def _filtered(node: exp.Expr) -> exp.Expr:
    """sum(x) FILTER (WHERE c): what the condition leaves out is null, and no aggregate counts that."""
    if not isinstance(node, exp.Filter):
        return node
    copy: exp.Expr = node.this.copy()
    condition = node.expression.this
    value = exp.Literal.number(1) if isinstance(copy.this, exp.Star) else copy.this
    only = exp.Case().when(condition.copy(), value.copy())
    only.type = value.type
    copy.set("this", only)
    return copy


def _decimal(node: exp.Expr) -> exp.Expr:
    """A literal with a point is a decimal on Spark, and what is divided by it loses digits."""
    if isinstance(node, exp.Literal) and not node.is_string and not node.name.isdigit():
        return exp.cast(node.copy(), "DOUBLE")
    return node


def _forever(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.name == "infinity":
        return exp.cast(exp.Literal.string(_FOREVER), "TIMESTAMPTZ")
    return node


def _flag_as_number(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Cast) and family(node.this.unnest()) == "flag":
        flag: exp.Expr = node.this.unnest()
        number = exp.cast(exp.Literal.number(1), node.args["to"])
        none = exp.cast(exp.Literal.number(0), node.args["to"])
        return exp.Case().when(flag.copy(), number).when(exp.Not(this=exp.paren(flag.copy())), none)
    return node


def _mean(node: exp.Expr) -> exp.Expr:
    """The mean of whole numbers is a decimal of few digits elsewhere."""
    if isinstance(node, exp.Avg):
        node.set("this", exp.cast(node.this.copy(), "DOUBLE"))
    return node


def _nulls_last(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Ordered) and not node.args.get("nulls_first"):
        node.set("nulls_first", False)
    return node


def _whole(node: exp.Expr) -> exp.Expr:
    """What counts overflows at 2^63, also where DuckDB's literal is a shorter integer."""
    if isinstance(node, exp.Cast) and node.args["to"].this == exp.DataType.Type.INT and is_integer(node):
        node.set("to", exp.DataType.build("BIGINT"))
    return node


_COMMON: tuple[Rule, ...] = (_filtered, _flag_as_number, _forever, _decimal, _mean, _nulls_last, _whole)
