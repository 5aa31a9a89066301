"""Quality beside time: what the loop's policy costs where retraining gains nothing, on the exchange's volume."""

from benchmarks.backtests import quality
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "the exchange's volume: error of the declared loop / of never retraining"
BOUND = 1.02
"""How far apart two policies lie by what days vary: the half width of a gain's interval."""
UNIT = "MAE"


def measure(session: Session) -> Row:
    """The live MAE of both; the note says what they took."""
    return quality.not_worse("nyse_volume", session, row=NAME, bound=BOUND, unit=UNIT)
