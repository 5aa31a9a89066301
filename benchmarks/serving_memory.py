"""Memory of a service that has answered / mlflow models serve: see benchmarks.prediction_services."""

from benchmarks import prediction_services
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "memory of a prediction service / mlflow models serve"
BOUND = 0.25
UNIT = "MB"


def measure(session: Session) -> Row:
    """Resident after the requests of the other rows, with all processes of each service."""
    served = prediction_services.measured(session)
    ours, peer = (cost.resident_bytes / 2**20 for cost in (served.cost, served.peer_cost))
    note = "one worker each, the same version; resident memory after the load of the other rows, all processes together"
    return Row(NAME, ours, peer, bound=BOUND, unit=UNIT, note=note)
