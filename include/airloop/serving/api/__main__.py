"""`python -m airloop.serving.api --port 8099`: the service as a supervisor starts it; by hand: `airloop serve`."""

import argparse
import logging
import sys

from airloop.errors import AirloopError
from airloop.serving.api import run

_LOG = logging.getLogger("airloop.serving")


def main() -> int:
    """Serve until stopped; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m airloop.serving.api")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        run.serve(
            options.host,
            options.port,
            workers=options.workers,
            open_to_all=False,
            on_listening=lambda url: _LOG.info("predictions at %s", url),
        )
    except AirloopError as error:
        _LOG.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
