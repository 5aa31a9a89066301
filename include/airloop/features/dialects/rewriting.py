"""Replacing expressions of a tree by a template in the other engine's words."""

from collections.abc import Callable
from functools import cache

import sqlglot
from sqlglot import exp

Rule = Callable[[exp.Expr], exp.Expr]


def rewrite(tree: exp.Expr, rule: Rule) -> exp.Expr:
    """The tree with every expression replaced by what the rule makes of it.

    From the leaves up: a rule sees operands that are done, and never what it has made.
    """
    for node in reversed(list(tree.walk(bfs=True))):
        rewritten = rule(node)
        if rewritten is not node:
            rewritten.type = rewritten.type or node.type
            if node.parent is None:
                tree = rewritten
            else:
                node.replace(rewritten)
    return tree


def template(text: str, dialect: str, **operands: exp.Expr) -> exp.Expr:
    """An expression of the dialect; `__name` in the text is replaced by a copy of that operand."""
    expression = _parsed(text, dialect).copy()
    for column in list(expression.find_all(exp.Column)):
        if column.name.startswith("__"):
            column.replace(exp.paren(operands[column.name[2:]].copy()))
    return expression


@cache
def _parsed(text: str, dialect: str) -> exp.Expr:
    return sqlglot.parse_one(text, read=dialect)


def quotient(node: exp.Div, dialect: str, *, text_type: str, minus_zero: str) -> exp.Expr:
    """A division as IEEE 754 and DuckDB have it: by 0 it is infinite, 0 / 0 is NaN; other engines raise."""
    left, right = (exp.cast(side.copy(), "DOUBLE") for side in (node.left, node.right))
    if isinstance(node.right.unnest(), exp.Literal | exp.Cast) and not node.right.find(exp.Column):
        return template("__a / __b", dialect, a=left, b=right)
    double = "DOUBLE PRECISION" if dialect == "postgres" else "DOUBLE"
    sign = f"CASE WHEN CAST(__b AS {text_type}) = '{minus_zero}' THEN -1 ELSE 1 END"
    # ABS, because some servers take 0 and -0 for different numbers.
    text = f"""CASE WHEN ABS(__b) <> 0 THEN __a / __b
        WHEN ABS(__b) = 0 AND (ABS(__a) = 0 OR __a = CAST('NaN' AS {double})) THEN CAST('NaN' AS {double})
        WHEN ABS(__b) = 0 AND __a > 0 THEN CAST('Infinity' AS {double}) * {sign}
        WHEN ABS(__b) = 0 AND __a < 0 THEN CAST('-Infinity' AS {double}) * {sign} END"""
    return template(text, dialect, a=left, b=right)
