"""100 predictions in one request / mlflow models serve: see benchmarks.prediction_services."""

from benchmarks import prediction_services
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "100 predictions in one request / mlflow models serve"
BOUND = 0.1
UNIT = "ms"


def measure(session: Session) -> Row:
    """Milliseconds between two answers; checks, log and all."""
    served = prediction_services.measured(session)
    ours, peer = served.hundred, served.peer_hundred
    note = (
        f"one worker each, the same version and rows, equal answers; p50 {ours.p50:.2f} against {peer.p50:.1f} ms, p99 "
        f"{ours.p99:.1f} against {peer.p99:.0f} ms. Ours writes each answer into its log first; the peer logs nothing"
    )
    return Row(NAME, ours.milliseconds, peer.milliseconds, bound=BOUND, unit=UNIT, note=note)
