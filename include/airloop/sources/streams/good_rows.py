"""Which rows keep the feed's critical row rules: the others land too, for the quarantine, and do not go online."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from airloop.data.expectations import Rule, load_expectations
from airloop.settings import Settings
from airloop.sources.streams.declared import Stream
from airloop.sources.streams.reading import Row
from airloop.stores import lake

_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": lake.INSTANT,
}
# Great Expectations was not made for several threads.
_ONE_AT_A_TIME = threading.Lock()


@dataclass
class GoodRows:
    """The rules of one feed.

    A rule about the table, or one that compares a row with others of its window, is asked when the window is validated.
    """

    stream: Stream
    settings: Settings
    _rules: tuple[Rule, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read expectations.yaml.

        Raises:
            ConfigError: It is wrong, or has no rules for the feed.
        """
        declared = load_expectations(self.stream.pipeline, self.settings).raw[self.stream.feed]
        self._rules = tuple(rule for rule in declared if rule.about_rows and rule.severity == "critical")

    def of(self, rows: Sequence[Row]) -> pa.Table:
        """The good ones as the lake holds them: the feed's columns, known_at and created_at."""
        from airloop.data.judgement import judge  # seconds to import

        table, feed = as_table(rows, self.stream), self.stream.declared
        parameters = {"window_days": 1.0, **{f"{name}_rows": 0.0 for name in self.stream.pipeline.feeds}}
        with _ONE_AT_A_TIME:
            judged = judge(self.stream.feed, table, self._rules, key=feed.key, parameters=parameters, max_bad_share=1.0)
        # A rule that could not be computed names no row: nothing goes online unjudged.
        if judged.problems:
            return table.slice(0, 0)
        return table.filter(pa.array([at not in judged.bad for at in range(table.num_rows)], pa.bool_()))


def as_table(rows: Sequence[Row], stream: Stream) -> pa.Table:
    """Rows as raw/<feed> holds them."""
    feed = stream.declared
    columns = {
        name: pa.array([_cell(kind, row.values[at]) for row in rows], _TYPES[kind])
        for at, (name, kind) in enumerate(feed.columns.items())
    }
    known = columns[str(feed.known_at)]
    return pa.table({**columns, "known_at": known, "created_at": known})


def _cell(kind: str, value: object) -> object:
    if value is None:
        return None
    if kind == "float":
        return float(value)  # type: ignore[arg-type]
    return int(value) if kind == "integer" else value  # type: ignore[call-overload]
