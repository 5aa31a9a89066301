"""The looks before one, out of its history: those that share no row with it, and the one that says what lasts."""

from collections.abc import Sequence
from datetime import timedelta

from airloop.records import Monitored


def _same(monitored: Monitored, history: Sequence[Monitored]) -> list[Monitored]:
    """The newest record of each live window of the same champion, newest window first."""
    same = [
        record
        for record in history
        if (record.model_name, record.version) == (monitored.model_name, monitored.version) and record.origin == "live"
    ]
    by_window = {(record.window.end, record.window.start): record for record in same}
    return [by_window[key] for key in sorted(by_window, reverse=True)]


def apart(monitored: Monitored, history: Sequence[Monitored]) -> list[Monitored]:
    """The newest record of each window before this one, newest window first; overlapping evidence counts once."""
    chosen = [monitored]
    for record in _same(monitored, history):
        if record.window.end <= chosen[-1].evidence.start:
            chosen.append(record)
    return chosen[1:]


def lasting(monitored: Monitored, history: Sequence[Monitored], days: int) -> list[Monitored]:
    """The look that says whether what this one shows lasts; empty when there is none."""
    until = min(monitored.window.start, monitored.window.end - timedelta(days=days))
    ended = [record for record in _same(monitored, history) if record.window.end <= until]
    return ended[:1]
