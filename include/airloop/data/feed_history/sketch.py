"""What a window of a feed looked like, in a few thousand numbers instead of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from airloop.data.feed_history import code_shares
from airloop.data.feed_history.blocks import Block
from airloop.data.feed_history.code_shares import Codes
from airloop.data.feed_history.explained_rates import Sample
from airloop.data.feed_history.kept_values import Held
from airloop.data.feed_history.pile_up import Pile
from airloop.data.feed_history.precision import Precision
from airloop.data.feed_history.smooth_columns import Course
from airloop.data.feed_history.text_shapes import Shapes
from airloop.data.feed_history.value_grid import Grid


@dataclass(frozen=True)
class Texts:
    """The values of a text column: rows that have one, how many are different, the most frequent with their rows."""

    rows: int
    different: int
    top: dict[str, int]


@dataclass(frozen=True)
class Sketch:
    """A window of a feed, or of two feeds that share their key.

    Attributes:
        blocks: Rows by local day; one block of a static table. Numbers are the numeric columns, and the minutes between
            two timestamp columns as `later - earlier`.
        days: Local day -> rows; empty for a static table.
        grids: Numeric column -> its different values, where they are few.
        piles: Numeric column -> its commonest value; timestamp column -> its commonest minute of the hour.
        apart: `later - earlier` of two instants of a row -> rows by whole hours between them, modulo 24.
        hours: Timestamp column -> rows by hour of the feed's local day (24).
        texts: Text column -> its values.
        fixed: `origin, dest -> distance_miles` -> each group's one value.
        unfixed: A rule like that which does not hold -> share of the rows that break it, and an example; not stored.
        filled: Column -> rows with a value, by block.
        levels: `number where text` -> the level of each name's numbers among all, see levels_of_parts.
        words: Text column -> words for a total or a trial -> rows, see words.
        shapes: Text column -> the shapes of its values, see text_shapes.
        relations: `one ~ other` -> rank correlation and rows, see relations.
        associations: `one ~ other` of text columns -> how far one fixes the other, and rows, see associations.
        agreements: `column ~ later - earlier in minutes` -> share of rows that agree, and rows, see agreements.
        variety: Numeric column -> its different values a day, of all rows and of parts, see frozen_values.
        profiles: `column by other` of text columns -> what goes with each value, see value_profiles; of two feeds, an
            outcome second, each name's outcomes.
        copied: Share of rows that say the same as another row under another key; None where it is not judged.
        digits: Numeric column -> to which digit its values are written, see precision.
        minutes: Timestamp column -> rows by minute of the hour (60).
        ends: Numeric column -> its outermost values, see far_values.
        spans: `later - earlier` of two instants of a row -> its outermost values in minutes, see far_values.
        contents: Local day -> a digest of its numbers, see repeated_days.
        said: Hashes of some rows, see repeated_rows.
        orders: `one > other` -> share of the rows in which it is so, see exchanged.
        directions: Column of degrees -> what its sine and cosine go with, see directions.
        beside: Column of names -> which of two has more at the instants that both have, see side_by_side.
        alike: `one = other` -> share of the rows in which both say the same, and rows, see same_values.
        known: Of two feeds, an outcome second: `input ~ outcome` -> how much the input tells, and rows, see
            told_outcomes.
        held: `column where other` -> its value where the other column is 0, its lowest, see kept_values.
        codes: Column of few values -> its values, see code_shares.
        clocked: `hour of instant in zone -> column` -> what it says for each hour, see clock_columns.
        unclocked: A rule like that which does not hold -> share of the rows that keep to it; not stored.
        courses: Numeric column -> how it went in the order of time, see smooth_columns.
        rates: Column of an outcome -> each of its few values -> rows by block.
        clumped: Column of an outcome -> how much its rows of a day are alike, see outcome_rates.
        sample: Of two feeds, an outcome second: some rows of both, see explained_rates.
        matched: Of two feeds: rows of the first, by block, that have a row in the second.
        orphans: Of two feeds: rows of the second whose first should be here, and those of them without one.
        tails: Of two feeds: numeric column of the first -> [rows, without partner] below and above its outer tenths.
    """

    blocks: tuple[Block, ...]
    days: dict[str, int] = field(default_factory=dict)
    grids: dict[str, Grid] = field(default_factory=dict)
    piles: dict[str, Pile] = field(default_factory=dict)
    hours: dict[str, tuple[int, ...]] = field(default_factory=dict)
    apart: dict[str, tuple[int, ...]] = field(default_factory=dict)
    texts: dict[str, Texts] = field(default_factory=dict)
    fixed: dict[str, dict[str, str]] = field(default_factory=dict)
    unfixed: dict[str, tuple[float, str]] = field(default_factory=dict, compare=False)
    filled: dict[str, tuple[int, ...]] = field(default_factory=dict)
    levels: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)
    words: dict[str, dict[str, int]] = field(default_factory=dict)
    shapes: dict[str, Shapes] = field(default_factory=dict)
    relations: dict[str, tuple[float, int]] = field(default_factory=dict)
    associations: dict[str, tuple[float, int]] = field(default_factory=dict)
    agreements: dict[str, tuple[float, int]] = field(default_factory=dict)
    digits: dict[str, Precision] = field(default_factory=dict)
    minutes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ends: dict[str, tuple[float, ...]] = field(default_factory=dict)
    spans: dict[str, tuple[float, ...]] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    copied: float | None = None
    said: tuple[int, ...] = ()
    variety: dict[str, float] = field(default_factory=dict)
    profiles: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    orders: dict[str, float] = field(default_factory=dict)
    directions: dict[str, dict[str, tuple[float, int]]] = field(default_factory=dict)
    beside: dict[str, dict[str, dict[str, tuple[float, int]]]] = field(default_factory=dict)
    alike: dict[str, tuple[float, int]] = field(default_factory=dict)
    known: dict[str, tuple[float, int]] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    codes: dict[str, Codes] = field(default_factory=dict)
    clocked: dict[str, dict[str, str]] = field(default_factory=dict)
    unclocked: dict[str, float] = field(default_factory=dict, compare=False)
    courses: dict[str, Course] = field(default_factory=dict)
    rates: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    clumped: dict[str, float] = field(default_factory=dict)
    sample: Sample | None = None
    matched: tuple[int, ...] = ()
    orphans: tuple[int, int] = (0, 0)
    tails: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of the window."""
        return sum(block.rows for block in self.blocks)

    def to_json(self) -> dict[str, Any]:
        """The sketch as JSON-able values."""
        plain = {name: getattr(self, name) for name in (*_AS_THEY_ARE, *_OF_TUPLES, *_OF_STRENGTHS)}
        return plain | {
            "blocks": [block.to_json() for block in self.blocks],
            "grids": {name: [grid.values, grid.rows] for name, grid in self.grids.items()},
            "piles": {name: [pile.rows, pile.value, pile.share] for name, pile in self.piles.items()},
            "texts": {name: [item.rows, item.different, item.top] for name, item in self.texts.items()},
            "levels": self.levels,
            "shapes": {name: [item.rows, item.values, item.different, item.top] for name, item in self.shapes.items()},
            "said": self.said,
            "directions": self.directions,
            "beside": self.beside,
            "codes": code_shares.to_json(self.codes),
            "rates": self.rates,
            "sample": self.sample.to_json() if self.sample else None,
            "matched": self.matched,
            "orphans": self.orphans,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Sketch":
        """Read what `to_json` wrote."""
        plain: dict[str, Any] = {name: data[name] for name in _AS_THEY_ARE if name in data}
        plain |= {name: _tuples(data[name]) for name in _OF_TUPLES if name in data}
        plain |= {name: _strengths(data[name]) for name in _OF_STRENGTHS if name in data}
        return cls(
            blocks=tuple(Block.from_json(item) for item in data["blocks"]),
            grids={name: Grid(tuple(values), tuple(rows)) for name, (values, rows) in data["grids"].items()},
            piles={name: Pile(*pile) for name, pile in data.get("piles", {}).items()},
            texts={name: Texts(*item) for name, item in data["texts"].items()},
            levels={name: _tuples(parts) for name, parts in data.get("levels", {}).items()},
            directions={name: _strengths(item) for name, item in data.get("directions", {}).items()},
            beside={
                name: {names: _strengths(item) for names, item in pairs.items()}
                for name, pairs in data.get("beside", {}).items()
            },
            shapes={name: _shapes(item) for name, item in data.get("shapes", {}).items()},
            said=tuple(data.get("said", ())),
            codes={name: Codes(clumped, rows) for name, (clumped, rows) in data.get("codes", {}).items()},
            rates={name: _tuples(counts) for name, counts in data.get("rates", {}).items()},
            sample=Sample.from_json(data["sample"]) if data.get("sample") else None,
            matched=tuple(data["matched"]),
            orphans=(data["orphans"][0], data["orphans"][1]) if "orphans" in data else (0, 0),
            **plain,
        )


# A sketch of an older airloop lacks some of its fields.
_AS_THEY_ARE = (
    "days", "fixed", "words", "contents", "copied", "variety", "profiles", "orders", "clocked", "clumped"
)  # fmt: skip
_OF_TUPLES = ("hours", "minutes", "apart", "filled", "digits", "ends", "spans", "held", "courses", "tails")
_OF_STRENGTHS = ("relations", "associations", "agreements", "alike", "known")


def _tuples(data: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values) for name, values in data.items()}


def _shapes(data: Sequence[Any]) -> Shapes:
    rows, values, different, top = data
    return Shapes(rows, values, different, {shape: (count, value) for shape, (count, value) in top.items()})


def _strengths(data: dict[str, Any]) -> dict[str, tuple[float, int]]:
    return {name: (strength, rows) for name, (strength, rows) in data.items()}
