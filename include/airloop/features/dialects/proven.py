"""What of DuckDB's SQL gives the same rows on every engine: only what stands here is carried to another one.

sqlglot prints what it does not understand as it is, and engines give other rows without an error. So the list says what
may be written, and everything else is refused with what to write instead; tests/unit/features/dialects run each entry.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from airloop.features.dialects import conditions
from airloop.features.dialects.instead import INSTEAD
from airloop.features.dialects.source_tree import Tables

_SHOWN_CHARACTERS = 80

_PLAIN: tuple[type[exp.Expr], ...] = (
    exp.Alias, exp.Boolean, exp.ColumnDef, exp.CTE, exp.DataType, exp.DataTypeParam, exp.From, exp.Having,
    exp.Identifier, exp.Null, exp.Paren, exp.Star, exp.TableAlias, exp.Tuple, exp.Var, exp.RowNumber, exp.Rank,
    exp.DenseRank, exp.Order, exp.Count, exp.Qualify, exp.Where,
)  # fmt: skip

_ARGS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset(
        {
            "expressions",
            "from_",
            "joins",
            "where",
            "group",
            "having",
            "qualify",
            "windows",
            "with_",
            "distinct",
            "order",
        }
    ),
    exp.Table: frozenset({"this", "alias"}),
    exp.With: frozenset({"expressions"}),
    exp.Group: frozenset({"expressions", "all"}),
    exp.Join: frozenset({"this", "side", "kind", "on"}),
    exp.Union: frozenset({"this", "expression", "distinct", "with_"}),
    exp.Distinct: frozenset({"expressions"}),
    exp.Subquery: frozenset({"this", "alias"}),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "alias", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Column: frozenset({"this", "table"}),
    exp.Count: frozenset({"this", "big_int"}),
    exp.Min: frozenset({"this"}),
    exp.Max: frozenset({"this"}),
    exp.Cast: frozenset({"to", "this"}),
    exp.In: frozenset({"this", "expressions"}),
    exp.RowNumber: frozenset(),
    exp.Rank: frozenset(),
    exp.DenseRank: frozenset(),
    exp.Floor: frozenset({"this"}),
    exp.Ceil: frozenset({"this"}),
    exp.Like: frozenset({"this", "expression"}),
    exp.CTE: frozenset({"this", "alias"}),
    exp.Interval: frozenset({"this", "unit"}),
}
"""Of these the parts that are proven; another part (a sample, a hint, USING KEY) changes what the expression means."""


@dataclass(frozen=True)
class Refusal:
    """An expression that other engines are not known to answer alike; `line` of the query counts from 1."""

    line: int
    expression: str
    says: str

    @property
    def message(self) -> str:
        """One line: the expression, and what to do."""
        return f"{self.expression}: {self.says}" if self.expression else self.says


def refusals(tree: exp.Query, tables: Tables) -> list[Refusal]:
    """Everything in a typed tree (source_tree.read) that is off the list, in the order of the text.

    Args:
        tables: What the query may read: feeds, and the steps before it.
    """
    refused = [(node, says) for node in tree.walk() for says in _says(node, tables)]
    refused += [(item, says) for item in tree.selects for says in conditions.of_output(item)]
    # What stands around an expression off the list often has no type for that reason alone.
    causes = [
        pair for pair in refused if not any(pair[0] is not node and _within(node, pair[0]) for node, _ in refused)
    ]
    return sorted({_refusal(node, says) for node, says in causes}, key=lambda item: (item.line, item.expression))


def _within(node: exp.Expr, outer: exp.Expr) -> bool:
    while node.parent is not None:
        node = node.parent
        if node is outer:
            return True
    return False


def _says(node: exp.Expr, tables: Tables) -> Iterator[str]:
    kind = type(node)
    check: Callable[[exp.Expr], Iterator[str]] | None = conditions.CHECKS.get(kind)
    if kind not in _PLAIN and check is None:
        yield (
            INSTEAD.get(kind)
            or INSTEAD.get(node.key)
            or INSTEAD.get(node.name.lower())
            or "is not proven to give the same rows elsewhere"
        )
        return
    parts = {name for name, value in node.args.items() if value not in (None, False, [], "")}
    extra = sorted(parts - _ARGS[kind]) if kind in _ARGS else []
    if extra:
        yield INSTEAD.get(extra[0]) or f"its part {extra[0]!r} is not proven to give the same rows elsewhere"
    elif check is not None:
        yield from check(node)
    if isinstance(node, exp.Table) and node.name.lower() not in {*tables, *_own_names(node)}:
        yield INSTEAD["table"]


def _own_names(node: exp.Expr) -> set[str]:
    scopes, names = node.parent, set[str]()
    while scopes is not None:
        with_ = scopes.args.get("with_")
        names |= {item.alias.lower() for item in with_.expressions} if isinstance(with_, exp.With) else set()
        scopes = scopes.parent
    return names


def _refusal(node: exp.Expr, says: str) -> Refusal:
    text = node.sql("duckdb", comments=False, identify=False).replace('"', "")
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
    return Refusal(_line(node), shown, says)


def _line(node: exp.Expr) -> int:
    """Where it stands: its own place, else that of the first name in it, else that of what is around it."""
    own = node.meta.get("line")
    below = [item.meta["line"] for item in node.walk() if "line" in item.meta]
    if own or below:
        return int(own or min(below))
    return _line(node.parent) if node.parent is not None else 1
