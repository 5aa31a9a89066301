"""Alerts: what the loop decided and what stops it, told to people; at most one message a cause and day."""

from airloop.watch.alerts.causes import KINDS, STATE_KINDS, of_state, run_failed
from airloop.watch.alerts.delivery import deliver, tell
from airloop.watch.alerts.due import DUE_KINDS, of_calendar
from airloop.watch.alerts.message import body, subject

__all__ = [
    "DUE_KINDS",
    "KINDS",
    "STATE_KINDS",
    "body",
    "deliver",
    "of_calendar",
    "of_state",
    "run_failed",
    "subject",
    "tell",
]
