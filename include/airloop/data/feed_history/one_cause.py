"""One cause, one alarm: of several alarms that one fault gives rise to, the one that names it."""

from collections.abc import Sequence

from airloop.config import Pipeline
from airloop.data.feed_history.exchanged import NEARER
from airloop.records import Alarm

_OF_A_COLUMN = frozenset(
    {
        "unit_change", "clock_change", "one_value", "missing_values", "new_categories", "missing_category",
        "undeclared_label", "fixed_attribute_changed", "turned",
    }
)  # fmt: skip
_FOLLOWS = frozenset(
    {
        "text_shape", "label_rate", "far_values", "frozen_values", "offset", "other_spelling", "rounded", "new_digits",
    }
)  # fmt: skip
"""What another fault of the same column brings about."""

_ONE_OF_ANOTHER = frozenset(
    {
        ("unit_change", "one_value"), ("new_categories", "fixed_attribute_changed"), ("unit_change", "rounded"),
        ("unit_change", "new_digits"),
        ("changed_places", "missing_category"), ("other_spelling", "missing_category"),
        ("other_spelling", "text_shape"), ("offset", "far_values"), ("one_value", "rounded"),
    }
)  # fmt: skip
"""Rounded in a coarser unit, many values are one; a new name is another name of the same thing, as a spelling is."""
_MOST_OF_THE_NEW = 0.9

_WHOSE_VALUES = {"knows_outcome": 2, "copied_column": 1}
"""Whose values a column has says all about it: that they are of another size, and lie elsewhere, follows."""

_OF_INSTANTS = frozenset({"clock_change", "far_values", "relation_changed"})
_NO_EVENTS = frozenset({"total_rows", "test_rows"})
_OF_NO_EVENTS = frozenset({"far_values", "text_shape", "other_spelling", "relation_changed", "one_value"})
"""Sums lie far above what they sum up, and who tries a system writes anything."""
_NO_PARTNER = frozenset({"missing_day", "labels_missing", "incomplete", "missing_not_at_random"})
_OF_KEYS = frozenset({"unknown_keys", "outcomes_for_all"})
_MANY_KEYS = 0.1
_SLACK = 0.05
_MOST_OF_THEM = 0.5


def named(pipeline: Pipeline, alarms: Sequence[Alarm], *, raised: Sequence[Alarm] = ()) -> tuple[Alarm, ...]:
    """The alarms without those that another one explains.

    Args:
        raised: Alarms that were raised about the window before.
    """
    causes = (*raised, *alarms)
    return tuple(alarm for alarm in alarms if not any(_explains(pipeline, other, alarm) for other in causes))


def _explains(pipeline: Pipeline, cause: Alarm, alarm: Alarm) -> bool:
    return cause is not alarm and (
        _by_column(cause, alarm) or _by_keys(pipeline, cause, alarm) or _by_missing_rows(cause, alarm)
    )


def _by_column(cause: Alarm, alarm: Alarm) -> bool:
    """Another fault of a column explains its shape, its rate, rows alike; another unit its rounding; an exchange all.

    But columns whose order has turned, and which do not look like each other: there another unit of one is likelier.
    """
    if alarm.kind == "copied_rows":
        of_a_column = cause.kind in _OF_A_COLUMN and cause.subject.startswith(f"{alarm.subject}.")
        return of_a_column or (cause.kind == "repeated_days" and cause.subject == alarm.subject)
    if cause.kind in _NO_EVENTS and alarm.subject.startswith(f"{cause.subject.partition('.')[0]}."):
        return alarm.kind in _OF_NO_EVENTS
    if cause.kind == "repeated_days" and alarm.subject.startswith(f"{cause.subject}."):
        # Old rows under new dates: what lies between two of their instants is nobody's clock.
        return alarm.kind in _OF_INSTANTS
    if not set(cause.subject.split(", ")) & set(alarm.subject.split(", ")):
        return False
    if _WHOSE_VALUES.keys() & {cause.kind, alarm.kind}:
        return _says_more(cause.kind, alarm.kind)
    if alarm.kind == "exchanged":
        return not _is_certain(alarm) and (_is_few(cause) or (cause.kind == "unit_change" and not _is_sure(alarm)))
    if cause.kind == "exchanged":
        return _is_certain(cause) or (not _is_few(alarm) and (_is_sure(cause) or alarm.kind != "unit_change"))
    if (cause.kind, alarm.kind) in _ONE_OF_ANOTHER or _spells(cause, alarm):
        return True
    if (alarm.kind, cause.kind) in _ONE_OF_ANOTHER or _spells(alarm, cause):
        return False
    return alarm.kind in _FOLLOWS and cause.kind in _OF_A_COLUMN


def _says_more(kind: str, than: str) -> bool:
    """Of what says whose values a column has; an exchange says all about what one of both then tells."""
    if {kind, than} == {"exchanged", "knows_outcome"}:
        return kind == "exchanged"
    return _WHOSE_VALUES.get(kind, 0) > _WHOSE_VALUES.get(than, 0)


def _spells(cause: Alarm, alarm: Alarm) -> bool:
    """Whether nearly all new categories are known ones in another spelling."""
    both = (cause.kind, alarm.kind) == ("other_spelling", "new_categories")
    return both and (cause.observed or 0.0) >= _MOST_OF_THE_NEW * (alarm.observed or 0.0)


def _is_few(alarm: Alarm) -> bool:
    """Whether only a part of a column's values lies far away: an exchange moves all of them."""
    return alarm.kind == "far_values" and (alarm.observed or 0.0) < _MOST_OF_THEM


def _is_certain(exchanged: Alarm) -> bool:
    return exchanged.expected == 0.0


def _is_sure(exchanged: Alarm) -> bool:
    return (exchanged.expected or 0.0) <= NEARER * (exchanged.observed or 0.0)


def _by_keys(pipeline: Pipeline, cause: Alarm, alarm: Alarm) -> bool:
    """Keys of another shape, or many unknown ones, explain rows without a partner."""
    if cause.kind == "text_shape" and alarm.subject in pipeline.feeds:
        keys = {f"{alarm.subject}.{name}" for name in pipeline.feeds[alarm.subject].key}
        return alarm.kind in _NO_PARTNER | _OF_KEYS | {"copied_rows"} and cause.subject in keys
    if cause.kind != "unknown_keys" or cause.subject != alarm.subject:
        return False
    return alarm.kind == "outcomes_for_all" or (alarm.kind in _NO_PARTNER and (cause.observed or 0.0) > _MANY_KEYS)


def _by_missing_rows(cause: Alarm, alarm: Alarm) -> bool:
    """Many files cut off explain missing rows; rows missing in one feed, unknown keys in another; copies, both."""
    if cause.kind == "copied_rows":
        return cause.subject != alarm.subject and _copies_explain(cause, alarm)
    if cause.kind == "file_cut" and cause.holds_training:
        return alarm.subject == cause.subject and alarm.kind in ("labels_missing", "incomplete")
    # Of the same feed either would explain the other, and nobody would be told.
    in_another = cause.subject != alarm.subject
    return in_another and alarm.kind == "unknown_keys" and cause.kind in ("missing_day", "incomplete", "files_missing")


def _copies_explain(copied: Alarm, alarm: Alarm) -> bool:
    """Whether no more rows lack a partner than were sent again: a copy under a new key is a row that nobody knows."""
    again = ((copied.observed or 0.0) - (copied.expected or 0.0)) / 2
    observed, expected = alarm.observed or 0.0, alarm.expected or 0.0
    if alarm.kind == "unknown_keys":
        return observed - expected <= again + _SLACK
    # Of a tenth of the rows copies may be more than of all.
    if alarm.kind == "missing_not_at_random":
        return observed - expected <= again + 2 * _SLACK
    if alarm.kind not in ("labels_missing", "incomplete") or expected > 1.0:
        return False
    return observed >= expected * (1 - again) - _SLACK
