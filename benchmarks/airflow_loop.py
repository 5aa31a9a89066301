"""The demo's months through the platform that runs in a home: `python -m benchmarks.airflow_loop HOME MONTHS`."""

import sys
from pathlib import Path

from airloop.config import load_pipeline
from airloop.errors import UpstreamUnavailable
from airloop.settings import apply_quiet_environment
from airloop_platform import supervisor
from airloop_platform.demo import run_demo
from benchmarks.flights import settings_below


def run(home: Path, months: int) -> None:
    """Drive the loop over the REST API; says each month once.

    Raises:
        UpstreamUnavailable: No platform runs in this home.
    """
    settings = settings_below(home)
    platform = supervisor.current(settings)
    if platform is None:
        raise UpstreamUnavailable(f"no platform runs in {home}: start it first")
    months_told: set[str] = set()

    def say_month(line: str) -> None:
        month = line.partition(":")[0]
        if month not in months_told:
            months_told.add(month)
            print(month, flush=True)

    run_demo(load_pipeline("flight_delays", settings), settings, platform, months=months, report=say_month)


if __name__ == "__main__":
    apply_quiet_environment()
    run(Path(sys.argv[1]), int(sys.argv[2]))
