"""What an idle platform holds in memory: airloop's against Airflow and MLflow as they come."""

from airloop.errors import DataContractError
from benchmarks.platforms import started
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "memory of the idle platform / Airflow and MLflow as they come"
BOUND = 1.0
UNIT = "MB"


def measure(session: Session) -> Row:
    """Proportional set size of all processes, in the start that platform_start measures.

    Raises:
        DataContractError: The peer was not healthy, so that it held less than it needs.
    """
    ours, peer = started(session)
    if not peer.healthy:
        raise DataContractError("the peer was not healthy: what it held says nothing")
    note = (
        f"{ours.processes} and {peer.processes} processes, 15 s after the start, before any task. Ours holds the "
        "libraries that its tasks then share, the peer's tasks import them each for itself"
    )
    return Row(NAME, ours.megabytes, peer.megabytes, bound=BOUND, unit=UNIT, note=note)
