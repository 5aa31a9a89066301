"""How much bad data a window may hold."""

from airloop.config.node import Name, Node, Share


class Validation(Node):
    """How much bad data a window may hold."""

    max_bad_share: Share
    """A table whose share of rows breaking a critical row rule is above this fails the window."""
    max_set_aside_share: Share = 0.1
    """More than this share of a feed's files of a window set aside, and more than one, fails the window: what is left
    says something else. An outcome may wait, but not for files that are there and cannot be read."""
    max_missing_share: Share = 0.1
    """More than this share of a feed's days of a window without a file, and more than one, fails the window; of an
    outcome, or where days hold far fewer rows than such days do, it is an alarm."""
    max_lost_share: Share = 0.2
    """More than this share of a feed's rows of a window replaced by rows of other events under their keys fails it."""
    fail_on: tuple[Name, ...] = ()
    """Kinds of alarms (`unit_change`, `labels_missing`, ...) that fail a window instead of only holding trainings; an
    alarm that a person accepted fails nothing."""
