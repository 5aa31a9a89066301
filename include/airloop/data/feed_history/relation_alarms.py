"""Alarms about columns that no longer go together."""

from collections import Counter
from collections.abc import Iterator, Set

from airloop.data.feed_history import agreements, directions, followed_outcomes, relation_signs, relations
from airloop.data.feed_history.looked import AGAIN, MEND, Looked
from airloop.data.feed_history.sketch import Sketch
from airloop.records import Alarm


def find(looked: Looked, suspects: Set[str]) -> Iterator[Alarm]:
    """One alarm for each column to blame: the one that most broken relations share, as one column breaks several.

    A column that was turned round breaks all of its own.

    Args:
        suspects: Columns of which another alarm says what is wrong: that breaks their relations, too.
    """
    turned = [*_turned(looked, suspects), *_directions(looked, suspects)]
    yield from turned
    suspects = suspects | {column for alarm in turned for column in alarm.subject.split(", ")}
    unfollowed = list(_unfollowed(looked, suspects))
    yield from unfollowed
    suspects = suspects | {alarm.subject for alarm in unfollowed}
    by_columns: dict[tuple[str, str], relations.Broken] = {}
    for name, sketch in looked.sketches.items():
        for columns, broken in _broken(looked, name, sketch, suspects):
            by_columns.setdefault(columns, broken)
    while by_columns:
        blamed = Counter(column for columns in by_columns for column in columns)
        # A measured amount is likelier wrong than the time between two instants.
        column = max(blamed, key=lambda item: (" - " not in item, blamed[item], _is_outcome(looked, item), item))
        about = {columns: broken for columns, broken in by_columns.items() if column in columns}
        columns, broken = max(about.items(), key=lambda item: abs(item[1].expected))
        other = columns[1] if columns[0] == column else columns[0]
        either = len(about) == blamed[other] == 1 and _is_alike(looked, column, other)
        whose = "are the values of one of them" if either else "are its values"
        says = (
            f"{column} no longer goes with {other}: {broken.how}: {whose} those of other rows, or of another "
            f"meaning? {AGAIN}"
        )
        subject = ", ".join(sorted((column, other))) if either else column
        yield Alarm("relation_changed", subject, says, broken.observed, broken.expected)
        by_columns = {columns: broken for columns, broken in by_columns.items() if column not in columns}


def _is_alike(looked: Looked, column: str, other: str) -> bool:
    """Whether two columns are of one feed and none is a time between two instants: each may be the wrong one."""
    return " - " not in column + other and column.partition(".")[0] == other.partition(".")[0]


def _turned(looked: Looked, suspects: Set[str]) -> Iterator[Alarm]:
    past: dict[str, list[tuple[float, int]]] = {}
    now: dict[str, tuple[float, int]] = {}
    for name, sketch in looked.sketches.items():
        for relation, item in sketch.relations.items():
            columns = _columns(name, relation)
            parts = [part for column in columns for part in column.split(relation_signs.SPAN)]
            if suspects & set(parts):
                continue
            full = relations.PARTED.join(columns)
            trusted = looked.trusted(name, *parts)
            past[full] = [earlier.relations[relation] for earlier in trusted if relation in earlier.relations]
            now[full] = item
    for turned in relation_signs.find(past, now):
        what = "one of both goes" if turned.relations == 1 else f"all {turned.relations} columns that it went with go"
        other = turned.other or "each other"
        says = (
            f"{turned.column} looks turned round: {what} the other way, as with {other} (rank correlation "
            f"{turned.observed:.2f}, in every window before {turned.expected:.2f} or further from 0): is it 1 or 100 "
            f"less what it was, or of the other sign? {MEND}"
        )
        yield Alarm("turned", turned.column, says, turned.observed, turned.expected)


def _directions(looked: Looked, suspects: Set[str]) -> Iterator[Alarm]:
    for name, sketch in looked.feeds.items():
        for column, now in sketch.directions.items():
            subject = f"{name}.{column}"
            past = [item.directions[column] for item in looked.trusted(name, subject) if column in item.directions]
            turned = None if subject in suspects else directions.turned(past, now)
            if turned:
                says = (
                    f"{subject} looks turned by 180 degrees: the {turned.numbers} relations of its sine and cosine go "
                    f"the other way (from where to where to, or back?); {MEND}"
                )
                yield Alarm("turned", subject, says, turned.now, turned.before)


def _unfollowed(looked: Looked, suspects: Set[str]) -> Iterator[Alarm]:
    """Outcomes that inputs always told and do not tell now; not where an input is suspected itself."""
    for (first, second), sketch in looked.pairs.items():
        if sketch.sample is None or any(subject.startswith((f"{first}.", f"{second}.")) for subject in suspects):
            continue
        for outcome in sketch.sample.outcomes:
            subject = f"{second}.{outcome}"
            past = [item.sample for item in looked.trusted(f"{first}|{second}", subject) if item.sample]
            fallen = followed_outcomes.of(past, sketch.sample, outcome)
            if fallen:
                kind = "turned" if fallen.turned else "relation_changed"
                how = "runs against" if fallen.turned else "hardly follows from"
                why = "has its meaning been turned" if fallen.turned else "are its values those of other rows"
                says = (
                    f"{subject} {how} the numbers of {first}, which told it in every window before: a model of those "
                    f"orders its rows with an area under the ROC curve of {fallen.observed:.2f}, theirs with "
                    f"{fallen.expected:.2f} or more: {why}? {AGAIN}"
                )
                yield Alarm(kind, subject, says, fallen.observed, fallen.expected)


def _broken(
    looked: Looked, name: str, sketch: Sketch, suspects: Set[str]
) -> Iterator[tuple[tuple[str, str], relations.Broken]]:
    """What is broken between columns of one sketch; that one was the other is told before that it went with it."""

    def past(relation: str) -> list[Sketch]:
        parts = [part for column in _columns(name, relation) for part in column.split(" - ")]
        return [] if suspects & set(parts) else looked.trusted(name, *parts)

    broken_ones: list[relations.Broken] = []
    for agreement, item in sketch.agreements.items():
        agreed = [earlier.agreements for earlier in past(agreements.relation(agreement))]
        broken_ones += agreements.broken(agreed, {agreement: item})
    for relation, item in sketch.relations.items():
        broken_ones += relations.broken([earlier.relations for earlier in past(relation)], {relation: item})
    for relation, item in sketch.associations.items():
        known = [earlier.associations for earlier in past(relation)]
        broken_ones += relations.broken(known, {relation: item}, measure="association")
    yield from ((_columns(name, broken.name), broken) for broken in broken_ones)


def _columns(name: str, relation: str) -> tuple[str, str]:
    one, other = (
        " - ".join(part if "|" in name else f"{name}.{part}" for part in side.split(" - "))
        for side in relation.split(relations.PARTED)
    )
    return one, other


def _is_outcome(looked: Looked, column: str) -> bool:
    return looked.pipeline.feeds[column.partition(".")[0]].outcome
