"""Writes to a table that other writers commit to as well."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from deltalake.exceptions import CommitFailedError, DeltaError

from airloop.errors import UpstreamUnavailable

logger = logging.getLogger(__name__)

TRIES = 40

Written = TypeVar("Written")


def committed(uri: str, write: Callable[[], Written]) -> Written:
    """What `write` returned; it is called again when another writer's commit came between.

    Args:
        write: Opens the table again in each call.

    Raises:
        UpstreamUnavailable: The store does not answer, or other writers were faster TRIES times in a row.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return write()
        except DeltaError as error:
            # The second of two writers that make a table is told so in words only.
            if not isinstance(error, CommitFailedError) and "already exists" not in str(error):
                raise
            logger.info("%s: another writer committed first (try %d): %s", uri, attempt, error)
            # Growing and random: of many windows written at once (a burst of files) each gets its turn.
            time.sleep(random.uniform(0, 0.1 * attempt))
        except OSError as error:
            raise UpstreamUnavailable(f"{uri} cannot be written: {error}") from error
    raise UpstreamUnavailable(f"{uri}: {TRIES} writes in a row met a concurrent commit; retry")
