"""Under which conditions instants, their parts and intervals give the same values on every engine."""

import re
from collections.abc import Iterator

from sqlglot import exp

from airloop.features.dialects.buckets import SECONDS, count_of, unit_of
from airloop.features.dialects.families import families, family
from airloop.features.dialects.parts import PARTS, part_of

INSTANT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([+-]\d\d(:\d\d)?|Z)?)?")
_PARTS = tuple(kind for kind in PARTS.values() if kind is not None)
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z_]+(/[A-Za-z_+-]+)+")
_TRUNCATED = {"MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}
_STEPS = {*SECONDS, "WEEK", "MONTH", "YEAR"}


def _around(node: exp.Expr) -> exp.Expr | None:
    around = node.parent
    return _around(around) if isinstance(around, exp.Paren) else around


def instant_literal(node: exp.Expr, value: exp.Literal) -> Iterator[str]:
    """Of an instant that is written out."""
    if value.name == "infinity" and node.find_ancestor(exp.Least):
        return
    if not INSTANT.fullmatch(value.name):
        yield "write the instant as TIMESTAMPTZ '2013-01-31 05:00:00+00' ('infinity' only within least(...))"


def bucket(node: exp.Expr) -> Iterator[str]:
    """Of time_bucket."""
    step, unit = count_of(node.this), unit_of(node.this)
    if family(node.expression) != "instant":
        yield "buckets something that is not known to be an instant"
    if step is None or unit not in SECONDS:
        yield "write the width as a literal of seconds, minutes, hours or days, like INTERVAL 15 MINUTE"
    origin = node.args.get("unit")
    if origin is not None and not (isinstance(origin, exp.Cast) and INSTANT.fullmatch(origin.this.name)):
        yield "write the origin as TIMESTAMPTZ '2000-01-01 05:00:00+00'"


def interval(node: exp.Expr) -> Iterator[str]:
    """Of INTERVAL."""
    if count_of(node) is None or unit_of(node) not in _STEPS:
        yield "write a literal of whole units, like INTERVAL 15 MINUTE"


def difference(node: exp.Expr) -> Iterator[str]:
    """Of date_diff."""
    if unit_of(node) not in SECONDS or families(node.this, node.expression) - {"instant"}:
        yield "write date_diff with 'second', 'minute', 'hour' or 'day' between two instants"


def truncated(node: exp.Expr) -> Iterator[str]:
    """Of date_trunc."""
    if unit_of(node) not in _TRUNCATED or family(node.this) != "instant":
        yield f"write date_trunc of an instant to one of {', '.join(sorted(_TRUNCATED)).lower()}"


def part(node: exp.Expr) -> Iterator[str]:
    """Of extract, hour, isodow, ...."""
    unit, value = part_of(node)
    local = isinstance(value.unnest(), exp.AtTimeZone)
    if unit not in PARTS or not (local or family(value) == "instant"):
        yield f"write extract(PART FROM x) of an instant, PART one of {', '.join(PARTS).lower()}"


def zone(node: exp.Expr) -> Iterator[str]:
    """Of AT TIME ZONE."""
    zone = node.args.get("zone")
    if family(node.this) != "instant":
        yield "turns a local time into an instant: in the hour that comes twice engines differ; declare the feed's zone"
    elif not isinstance(_around(node), (exp.Extract, *_PARTS)):
        yield "gives a local time, which is not proven elsewhere by itself; take a part of it, like hour(...)"
    elif not (isinstance(zone, exp.Literal) and _ZONE.fullmatch(zone.name)):
        yield "write the zone as a literal of its place, like 'America/New_York'"


def series(node: exp.Expr) -> Iterator[str]:
    """Of unnest."""
    select, source = node.find_ancestor(exp.Select), node.this
    alone = select is not None and not any(select.args.get(key) for key in ("group", "distinct", "qualify", "having"))
    if not (isinstance(source, exp.GenerateSeries) and alone and isinstance(node.parent, exp.Alias)):
        yield "write unnest(generate_series(FROM, TO, STEP)) AS name in a query of its own, without groups"
    elif select is not None and len(list(select.find_all(exp.Explode))) > 1:
        yield "write one unnest a query"


def generated(node: exp.Expr) -> Iterator[str]:
    """Of generate_series."""
    start, end, step = (node.args.get(name) for name in ("start", "end", "step"))
    if node.args.get("is_end_exclusive"):
        yield "leaves out its end; write generate_series, and the end as it is wanted"
    instants = families(*(item for item in (start, end) if item is not None)) == {"instant"}
    if not (instants and isinstance(step, exp.Interval) and isinstance(node.parent, exp.Explode)):
        yield "write generate_series between two instants with a literal step, like INTERVAL 1 HOUR, within unnest"
