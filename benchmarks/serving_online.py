"""A prediction of looked-up features over HTTP: see benchmarks.prediction_services."""

from benchmarks import prediction_services
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "a prediction of looked-up features over HTTP, 8 connections / mlflow models serve of sent ones"
BOUND = 0.067
UNIT = "ms"


def measure(session: Session) -> Row:
    """Milliseconds between two answers; checks, log and all."""
    served = prediction_services.measured(session)
    ours, peer = served.looked_up, served.peer
    note = (
        f"one worker each, the same version and rows, equal answers; p50 {ours.p50:.2f} against {peer.p50:.1f} ms, p99 "
        f"{ours.p99:.1f} against {peer.p99:.0f} ms. Ours writes each answer into its log first; the peer logs nothing"
    )
    return Row(NAME, ours.milliseconds, peer.milliseconds, bound=BOUND, unit=UNIT, note=note)
