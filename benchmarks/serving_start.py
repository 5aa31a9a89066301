"""Start of a service until it is ready / mlflow models serve: see benchmarks.prediction_services."""

from benchmarks import prediction_services
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "start of a prediction service until it answers / mlflow models serve"
BOUND = 0.25
UNIT = "s"


def measure(session: Session) -> Row:
    """Seconds from the process's start."""
    found = prediction_services.measured(session)
    ours, peer = found.cost.start_seconds, found.peer_cost.start_seconds
    note = "one worker each, the same version, promoted on this machine: ours reads the copy that a promotion leaves"
    return Row(NAME, ours, peer, bound=BOUND, unit=UNIT, note=note)
