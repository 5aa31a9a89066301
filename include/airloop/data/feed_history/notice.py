"""What a window's sketches have to say against those of the windows before: alarms, each with its way out."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from airloop.config import Feed, Pipeline
from airloop.data.feed_history import (
    clocks,
    completeness,
    due_days,
    fixed_attributes,
    new_values,
    pairs,
    pile_up,
    unit_change,
    value_grid,
)
from airloop.data.feed_history.conversions import AMOUNTS
from airloop.data.feed_history.sketches import Sketch, numeric_columns, sketch_feed
from airloop.data.feed_history.store import Past
from airloop.records import Alarm, Window

Answers = Mapping[tuple[Window, str], str]
"""(window, subject) of each alarm raised before -> `accepted`, `excluded`, or an empty text while it is open."""

_MEND = "land the files again in the old unit, or say that the new one is right: `airloop alarms answer`"
_LAND = "land what is missing and the window is built again, or say that it is right: `airloop alarms answer`"
_SHOWN = 5
_A_WEEK = 7


def sketch_window(pipeline: Pipeline, rows: Mapping[str, pl.DataFrame], window: Window) -> dict[str, Sketch]:
    """Sketches of every feed that has rows, and as `first|second` of every two feeds that share their key."""
    feeds = {name: pipeline.feeds[name] for name in rows}
    sketches = {name: sketch_feed(feed, rows[name]) for name, feed in feeds.items()}
    for names in pairs.related(feeds):
        sketch = pairs.sketch_pair(names, feeds, rows, window)
        if sketch is not None:
            sketches["|".join(names)] = sketch
    return sketches


def notice(
    pipeline: Pipeline,
    window: Window,
    sketches: Mapping[str, Sketch],
    past: Mapping[str, Sequence[Past]],
    answers: Answers,
) -> tuple[Alarm, ...]:
    """The alarms of a window, the first of each kind and subject.

    A past window counts for a subject unless an alarm about it is open or excluded; of an accepted one the past begins
    with its window.
    """
    alarms: dict[tuple[str, str], Alarm] = {}
    looks = _Looks(pipeline, window, sketches, past, answers)
    for alarm in looks.all():
        alarms.setdefault((alarm.kind, alarm.subject), alarm)
    return tuple(alarms.values())


class _Looks:
    """One window before the eyes of every detection."""

    def __init__(
        self,
        pipeline: Pipeline,
        window: Window,
        sketches: Mapping[str, Sketch],
        past: Mapping[str, Sequence[Past]],
        answers: Answers,
    ) -> None:
        self.pipeline, self.window, self.sketches = pipeline, window, sketches
        self.past, self.answers = past, answers

    def all(self) -> Iterator[Alarm]:
        for name, sketch in self.sketches.items():
            if "|" not in name:
                feed = self.pipeline.feeds[name]
                yield from self._columns(name, feed, sketch)
                yield from self._piles(name, feed, sketch)
                yield from self._fixed(name, sketch)
                yield from self._texts(name, feed, sketch)
        yield from self._clocks()
        for name, sketch in self.sketches.items():
            if "|" in name:
                yield from self._partners(name, sketch)
        for name, feed in self.pipeline.feeds.items():
            if not feed.static:
                yield from self._days(name, feed)

    def trusted(self, name: str, subject: str) -> list[Sketch]:
        """The past sketches of `name` that count for a subject, oldest first."""
        kept: list[Sketch] = []
        for item in self.past.get(name, ()):
            answer = self.answers.get((item.window, subject))
            if answer == "accepted":
                kept = []
            if answer in (None, "accepted"):
                kept.append(item.sketch)
        return kept

    def _columns(self, name: str, feed: Feed, sketch: Sketch) -> Iterator[Alarm]:
        for column in numeric_columns(feed):
            subject = f"{name}.{column}"
            past = self.trusted(name, subject)
            blocks = [block for earlier in past for block in earlier.blocks]
            changed = unit_change.find(blocks, sketch.blocks, column, AMOUNTS)
            if changed:
                first, last = changed.days
                since = "" if feed.static else f" from {first} to {last}"
                says = (
                    f"{subject} looks like a unit change ({changed.conversion.name}){since}: its median is "
                    f"{changed.observed:.4g}, before {changed.expected:.4g}; {_MEND}"
                )
                yield Alarm("unit_change", subject, says, changed.observed, changed.expected)
                continue
            grids = [earlier.grids[column] for earlier in past if column in earlier.grids]
            moved = value_grid.find(grids, sketch.grids[column], AMOUNTS) if column in sketch.grids else None
            if moved:
                conversion, without, share = moved
                says = (
                    f"{subject} looks like a unit change ({conversion.name}): {without:.0%} of its rows have a value "
                    f"that was there before, and {share:.0%} once the change is undone; {_MEND}"
                )
                yield Alarm("unit_change", subject, says, without, share)

    def _piles(self, name: str, feed: Feed, sketch: Sketch) -> Iterator[Alarm]:
        for column, pile in sketch.piles.items():
            subject = f"{name}.{column}"
            before = pile_up.taken_over(
                [earlier.piles[column] for earlier in self.trusted(name, subject) if column in earlier.piles], pile
            )
            if before is not None:
                what = f"the minute {pile.value}" if feed.columns[column] == "timestamp" else f"the value {pile.value}"
                says = (
                    f"{subject}: {pile.share:.0%} of the rows have {what}, no value was in more than {before:.0%} "
                    "before: a default, a limit or a code for missing in place of what was measured? Land the files "
                    "with the values themselves, or say that they are right: `airloop alarms answer`"
                )
                yield Alarm("one_value", subject, says, pile.share, before)

    def _fixed(self, name: str, sketch: Sketch) -> Iterator[Alarm]:
        subjects = {rule.rpartition(" ")[2] for rule in (*sketch.fixed, *sketch.unfixed)}
        for column in sorted(subjects):
            subject = f"{name}.{column}"
            rules = [earlier.fixed for earlier in self.trusted(name, subject)]
            for found in fixed_attributes.changed(rules, sketch.fixed):
                if found.column == column:
                    says = (
                        f"{subject} is fixed for each {found.by}, and has another value now for {found.share:.0%} of "
                        f"those seen before ({found.example}); {_MEND}"
                    )
                    yield Alarm("fixed_attribute_changed", subject, says, found.share, 0.0)
            for found in fixed_attributes.no_longer(rules, sketch.unfixed):
                if found.column == column:
                    says = (
                        f"{subject} was fixed for each {found.by}, and {found.share:.0%} of the rows now have another "
                        f"value than most of theirs ({found.example}); {_MEND}"
                    )
                    yield Alarm("fixed_attribute_changed", subject, says, found.share, 0.0)

    def _texts(self, name: str, feed: Feed, sketch: Sketch) -> Iterator[Alarm]:
        for column, texts in sketch.texts.items():
            subject = f"{name}.{column}"
            trusted = [earlier for earlier in self.trusted(name, subject) if column in earlier.texts]
            past = [earlier.texts[column] for earlier in trusted]
            # What only working days have is not gone on a Sunday.
            seen_a_week = len({day for earlier in trusted for day in earlier.days}) > _A_WEEK
            shares = new_values.share_known(past, texts)
            if shares and new_values.recoded(past, texts):
                value = next(iter(texts.top))
                says = (
                    f"{subject}: {1 - shares[0]:.0%} of the rows have a value that no window had before, like "
                    f"{value!r}; land them with the old names, or say that the new ones are right: "
                    "`airloop alarms answer`"
                )
                yield Alarm("new_categories", subject, says, 1 - shares[0], 1 - shares[1])
            elif seen_a_week and (gone := new_values.gone(past, texts)):
                value, share = gone
                now = texts.top.get(value, 0) / texts.rows
                says = (
                    f"{subject}: {now:.1%} of the rows say {value!r}, in every window before {share:.0%} or more did; "
                    f"{_LAND}"
                )
                yield Alarm("missing_category", subject, says, now, share)
            elif feed.outcome and (strange := new_values.new_outcomes(past, texts)):
                value, rows = next(iter(strange.items()))
                says = (
                    f"{subject}: {rows:,} rows say {value!r}, which no window had before; what the SQL of section "
                    "labels makes of it is a guess: declare the values in expectations.yaml "
                    "(expect_column_values_to_be_in_set, critical), or land it as it was written before"
                )
                yield Alarm("undeclared_label", subject, says, sum(strange.values()) / texts.rows, 0.0)

    def _clocks(self) -> Iterator[Alarm]:
        for found in clocks.find(self.pipeline, self.sketches, self.trusted):
            yield Alarm("clock_change", found.subject, f"{found.says}; {_MEND}", found.observed, found.expected)

    def _partners(self, name: str, sketch: Sketch) -> Iterator[Alarm]:
        first, second = name.split("|")
        past = self.trusted(name, second)
        kind = "labels_missing" if self.pipeline.feeds[second].outcome else "incomplete"
        lost = completeness.lost_days(past, sketch)
        if lost:
            (_, share), days = lost[0], ", ".join(day for day, _ in lost[:_SHOWN])
            says = (
                f"{second} hardly has a row for {first} of {days} ({share.observed:.0%}, usually {share.expected:.0%})"
            )
            yield Alarm("missing_day", second, f"{says}: a file is missing; {_LAND}", share.observed, share.expected)
        fewer = completeness.fewer_partners(past, sketch)
        if fewer:
            says = f"{fewer.observed:.1%} of the rows of {first} have one in {second}, usually {fewer.expected:.1%}"
            yield Alarm(kind, second, f"{says}; {_LAND}", fewer.observed, fewer.expected)
        for column, tail, share in completeness.not_at_random(past, sketch)[:1]:
            says = (
                f"{second} is missing not at random: of the tenth of {first} with the {tail} {column}, "
                f"{share.observed:.0%} have no row in it, usually {share.expected:.0%}; {_LAND}"
            )
            yield Alarm("missing_not_at_random", second, says, share.observed, share.expected)

    def _days(self, name: str, feed: Feed) -> Iterator[Alarm]:
        sketch = self.sketches.get(name)
        if sketch is None or not sketch.days:
            return
        past = due_days.side_by_side(self.past.get(name, ()), self.window)
        before = due_days.summed(past)
        judged = due_days.judged(self.pipeline, feed, self.window, sketch.days, adjacent=bool(past))
        missing = completeness.missing_days(before, sketch.days, judged)
        if missing:
            shown = ", ".join(str(day) for day in missing[:_SHOWN])
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            says = f"{name} has no row of {shown}{more} (days in {feed.day_timezone}), a file is missing; {_LAND}"
            yield Alarm("missing_day", name, says, float(len(missing)), 0.0)
        # The day that the window before began is whole only with its rows from there.
        whole = {str(day): before.get(str(day), 0) + sketch.days.get(str(day), 0) for day in judged}
        earlier = {day: rows for day, rows in before.items() if day not in whole}
        days = [day for day in judged if day not in missing and due_days.bounds(feed, day)[1] <= self.window.end]
        fewer = completeness.fewer_rows(earlier, whole, days)
        if fewer and not any(self._partner_says(other, name) for other in self.sketches):
            says = (
                f"{name} has {fewer.observed:.0%} of the rows a day that it had on the same weekdays of the four weeks "
                f"before; {_LAND}"
            )
            yield Alarm("labels_missing" if feed.outcome else "incomplete", name, says, fewer.observed, 1.0)

    def _partner_says(self, pair: str, second: str) -> bool:
        """Whether a pair of feeds says how many rows the second should have: then their number alone says less."""
        return pair.endswith(f"|{second}") and bool(self.trusted(pair, second))
