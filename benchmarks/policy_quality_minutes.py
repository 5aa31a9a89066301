"""Quality beside time: what the loop's policy keeps of retraining every month on flight minutes."""

from benchmarks.backtests import quality
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "flight minutes: gain of every month, ungated, over never / of the declared loop"
BOUND = quality.BOUND
UNIT = "minutes"


def measure(session: Session) -> Row:
    """Both gains in the gate's metric; the note says what they took."""
    return quality.kept("flight_minutes", session, row=NAME, unit=UNIT)
