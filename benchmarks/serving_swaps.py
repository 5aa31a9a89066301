"""A prediction while versions are exchanged / while none is: see benchmarks.prediction_services."""

from benchmarks import prediction_services
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "the slowest 1 % of predictions while versions are exchanged / while none is"
BOUND = 2.0
UNIT = "ms"


def measure(session: Session) -> Row:
    """The 99th percentile of single requests, 8 connections, explicit features."""
    found = prediction_services.measured(session)
    swapped, still = found.swapped, found.explicit
    note = (
        f"{found.swaps} promotions in the ledger by another process, each loaded, checked, warmed and exchanged by the "
        f"service meanwhile; no request failed. p50 {swapped.p50:.2f} against {still.p50:.2f} ms, the slowest request "
        f"{swapped.slowest:.0f} against {still.slowest:.0f} ms"
    )
    return Row(NAME, swapped.p99, still.p99, bound=BOUND, unit=UNIT, note=note)
