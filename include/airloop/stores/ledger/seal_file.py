"""Where seals lie from one process to the next: in a file of the home that its owner alone can read and write.

Not in the state database: whoever changes the ledger there cannot change its seals with it. A file that is lost, or
that another machine has not got, costs one verification of everything.
"""

import logging
from pathlib import Path

from airloop.files import private_files
from airloop.settings import Settings
from airloop.stores.ledger.seals import Seals

logger = logging.getLogger(__name__)


def read(settings: Settings, pipeline: str) -> Seals | None:
    """The seals of a pipeline's ledger; None where there are none that can be read."""
    try:
        return Seals.read(_path(settings, pipeline).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.warning("the seals of the ledger of %s cannot be read, all of it is verified: %s", pipeline, error)
        return None


def write(settings: Settings, pipeline: str, seals: Seals) -> None:
    """Put seals in place of those before; where the home cannot be written, the next process verifies everything."""
    try:
        private_files.replace_private(_path(settings, pipeline), seals.text())
    except OSError as error:
        logger.info("the seals of the ledger of %s cannot be kept: %s", pipeline, error)


def _path(settings: Settings, pipeline: str) -> Path:
    return settings.home / "run" / "ledger" / f"{pipeline}.json"
