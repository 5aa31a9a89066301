"""Quality beside time: what the loop's policy keeps of retraining every month on bike hours."""

from benchmarks.backtests import quality
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "bike hours: gain of every month, ungated, over never / of the declared loop"
BOUND = quality.BOUND
UNIT = "bikers"


def measure(session: Session) -> Row:
    """Both gains in the gate's metric; the note says what they took."""
    return quality.kept("bike_hours", session, row=NAME, unit=UNIT)
