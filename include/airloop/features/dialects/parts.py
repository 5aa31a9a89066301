"""The parts of an instant: extract(hour FROM x), or hour(x)."""

from sqlglot import exp

PARTS: dict[str, type[exp.Expr] | None] = {
    "YEAR": exp.Year,
    "QUARTER": exp.Quarter,
    "MONTH": exp.Month,
    "DAY": exp.Day,
    "HOUR": exp.Hour,
    "MINUTE": exp.Minute,
    "ISODOW": exp.DayOfWeekIso,
    "DOW": exp.DayOfWeek,
    "DOY": exp.DayOfYear,
    "WEEK": exp.Week,
    "EPOCH": exp.TimeToUnix,
}
_BY_CLASS = {kind: name for name, kind in PARTS.items()}


def part_of(node: exp.Expr) -> tuple[str, exp.Expr]:
    """The part's name (empty when it is none), and the instant it is taken of."""
    if isinstance(node, exp.Extract):
        return node.this.name.upper(), node.expression
    return _BY_CLASS.get(type(node), ""), node.this
