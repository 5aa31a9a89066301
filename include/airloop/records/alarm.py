"""What a stage noticed about its window and a person should look at."""

from dataclasses import dataclass

from airloop.records.base import Record


@dataclass(frozen=True)
class Alarm(Record):
    """One thing about a window that is not as it was declared, or not as it was before.

    An alarm is a finding, not a failure: the window goes on, unless `validation.fail_on` names the kind.

    Attributes:
        kind: What kind of thing, a short word with underscores (`unit_change`, `labels_missing`, `performance`).
        subject: What it is about: `feed.column`, `view.column`, a feed, a metric.
        says: One sentence for a reader who meets it for the first time: what, which values, what to do.
        observed: The value in this window; None where a number says nothing.
        expected: What it is compared with, in the same unit.
        holds_training: Whether rows of the window are trained on only after somebody answered.
    """

    kind: str
    subject: str
    says: str
    observed: float | None = None
    expected: float | None = None
    holds_training: bool = True
