"""A platform from nothing to healthy: airloop's against Airflow and MLflow as they come."""

from benchmarks.platforms import LONGEST_START_SECONDS, started
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "start the platform in an empty home / Airflow and MLflow as they come"
BOUND = 1.0
UNIT = "s"


def measure(session: Session) -> Row:
    """One start each, databases made; a peer that is not healthy in time counts with the time it was given."""
    ours, peer = started(session)
    given_up = "" if peer.healthy else f" It was given up after {LONGEST_START_SECONDS} s: the ratio is at most this."
    note = (
        "one start each, until every health endpoint answers; the peer is the four commands of `airflow standalone` "
        f"and `mlflow server` with their defaults (examples, jobs, four workers).{given_up} Later starts are not in it"
    )
    return Row(NAME, ours.seconds, peer.seconds, bound=BOUND, unit=UNIT, note=note)
