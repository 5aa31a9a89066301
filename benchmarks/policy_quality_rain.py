"""Quality beside time: what the loop's policy keeps of retraining every month on Seattle's rain."""

from benchmarks.backtests import quality
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "Seattle's rain: gain of every month, ungated, over never / of the declared loop"
BOUND = quality.BOUND
UNIT = "thousandths of Brier"


def measure(session: Session) -> Row:
    """Both gains in the gate's metric; the note says what they took."""
    return quality.kept("seattle_rain", session, row=NAME, unit=UNIT, scale=1000)
