"""Alarms about columns that no longer go together."""

from collections import Counter
from collections.abc import Iterator, Set

from airloop.data.feed_history import relations
from airloop.data.feed_history.looked import AGAIN, Looked
from airloop.records import Alarm


def find(looked: Looked, suspects: Set[str]) -> Iterator[Alarm]:
    """One alarm for each column to blame: the one that most broken relations share, as one column breaks several.

    Args:
        suspects: Columns of which another alarm says what is wrong: that breaks their relations, too.
    """
    found: dict[tuple[str, str], relations.Broken] = {}
    for name, sketch in looked.sketches.items():
        for relation in sketch.relations:
            columns = _columns(name, relation)
            if suspects & {part for column in columns for part in column.split(" - ")}:
                continue
            past = looked.trusted(name, *(part for column in columns for part in column.split(" - ")))
            now = {relation: sketch.relations[relation]}
            for broken in relations.broken([earlier.relations for earlier in past], now):
                found[columns] = broken
    while found:
        blamed = Counter(column for columns in found for column in columns)
        # A measured amount is likelier wrong than the time between two instants.
        column = max(blamed, key=lambda item: (" - " not in item, blamed[item], _is_outcome(looked, item), item))
        about = {columns: broken for columns, broken in found.items() if column in columns}
        columns, broken = max(about.items(), key=lambda item: abs(item[1].expected))
        other = columns[1] if columns[0] == column else columns[0]
        says = (
            f"{column} no longer goes with {other}: their rank correlation is {broken.observed:.2f}, in the windows "
            f"before {broken.expected:.2f} or more: are its values those of other rows? {AGAIN}"
        )
        yield Alarm("relation_changed", column, says, broken.observed, broken.expected)
        found = {columns: broken for columns, broken in found.items() if column not in columns}


def _columns(name: str, relation: str) -> tuple[str, str]:
    one, other = (
        " - ".join(part if "|" in name else f"{name}.{part}" for part in side.split(" - "))
        for side in relation.split(relations.PARTED)
    )
    return one, other


def _is_outcome(looked: Looked, column: str) -> bool:
    return looked.pipeline.feeds[column.partition(".")[0]].outcome
