"""Alarms about how frequent outcomes are: beyond every window before, and not what the inputs lead to."""

from collections.abc import Iterator

import numpy as np

from airloop.config import OF_VALUES, Feed
from airloop.data.feed_history import explained_rates, open_cases, outcome_rates
from airloop.data.feed_history.looked import AGAIN, Looked
from airloop.data.feed_history.outcome_rates import Rate
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.sketches import numeric_columns
from airloop.records import Alarm


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every column of every outcome feed."""
    for name, sketch in looked.feeds.items():
        feed = looked.pipeline.feeds[name]
        if feed.outcome:
            yield from _rates(looked, name, feed, sketch)


def _rates(looked: Looked, name: str, feed: Feed, sketch: Sketch) -> Iterator[Alarm]:
    columns, numbers = dict.fromkeys([*sketch.rates, *numeric_columns(feed)]), numeric_columns(feed)
    if looked.pipeline.prediction.task in OF_VALUES:
        # A predicted amount has no rate: it moves with every season.
        columns = dict.fromkeys(column for column in sketch.rates if column not in numbers)
    for column in columns:
        subject = f"{name}.{column}"
        clumped = _clumped(looked.trusted(name, subject), column)
        rate = _left(looked.trusted(name, subject), sketch, column, clumped)
        if rate and not _explained(looked, name, column, rate):
            says = (
                f"{subject}: {rate.observed:.1%} of the outcomes are {rate.of}, in the windows before "
                f"{rate.lowest:.1%} to {rate.highest:.1%}: do they mean something else, or do some not arrive? {AGAIN}"
            )
            yield Alarm("label_rate", subject, says, rate.observed, rate.lowest)
        elif not rate and column in sketch.rates:
            yield from _unknown_yet(looked, name, column, sketch, clumped)


def _unknown_yet(looked: Looked, name: str, column: str, sketch: Sketch, clumped: float) -> Iterator[Alarm]:
    subject = f"{name}.{column}"
    past = [earlier.rates.get(column, {}) for earlier in looked.trusted(name, subject)]
    case = open_cases.find(past, sketch.rates[column], clumped=clumped)
    if case:
        value, rows, missed = case
        says = (
            f"{subject}: none of the newest {rows:,} outcomes is {value!r}, by the windows before {missed:,.0f} or "
            "more should be: were they written before they were known? Land them once they are, or say that they are "
            "right: `airloop alarms answer`"
        )
        yield Alarm("label_rate", subject, says, 0.0, missed / rows)


def _clumped(past: list[Sketch], column: str) -> float:
    clumped = [earlier.clumped[column] for earlier in past if column in earlier.clumped]
    return float(np.mean(clumped)) if clumped else 1.0


def _left(past: list[Sketch], sketch: Sketch, column: str, clumped: float) -> Rate | None:
    if column in sketch.rates:
        rates = [earlier.rates.get(column, {}) for earlier in past]
        return outcome_rates.of_values(rates, sketch.rates[column], clumped=clumped)
    return outcome_rates.of_numbers([earlier.blocks for earlier in past], sketch.blocks, column, clumped=clumped)


def _explained(looked: Looked, name: str, column: str, rate: Rate) -> bool:
    """Whether the inputs of any feed that shares the key lead to such a rate."""
    for (first, second), sketch in looked.pairs.items():
        if second != name or sketch.sample is None:
            continue
        past = [item.sample for item in looked.trusted(f"{first}|{second}", f"{name}.{column}") if item.sample]
        explanation = explained_rates.explain(past, sketch.sample, column, rate.has)
        if explanation and explanation.covers(rate.observed, rate.independent):
            return True
    return False
