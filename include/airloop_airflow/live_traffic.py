"""The rule `shadowed` in DAGs: a version that waits for live traffic beside the champion is asked about again.

This file is imported at every parse, so it imports nothing heavy.
"""

import logging
from typing import Any

from airloop import settings
from airloop.config import Pipeline
from airloop_airflow.refused import Refused

logger = logging.getLogger(__name__)


def asks(pipeline: Pipeline) -> bool:
    """Whether the pipeline's gate asks for live traffic before a promotion."""
    return not isinstance(pipeline, Refused) and pipeline.gate.shadowed is not None


def kept(pipeline: Pipeline, sequence: int) -> bool:
    """Whether the rule lets a decision be promoted by now.

    Raises:
        GuardRefused: It is not a decision that passed, or the ledger does not verify.
    """
    shadowing = _library()
    standing = shadowing.ask(pipeline, settings.load_settings(), sequence)
    logger.info("decision %d %s: %s", sequence, standing.outcome, standing.says)
    return bool(standing.outcome == shadowing.PASSED)


def due(pipeline: Pipeline) -> int:
    """The decision that waited for live traffic and may be promoted now; 0 when there is none.

    Raises:
        GuardRefused: The ledger does not verify.
    """
    return _library().due(pipeline, settings.load_settings()) or 0


def _library() -> Any:
    settings.apply_quiet_environment()
    from airloop.feast_stores import feast_boot
    from airloop.gate import shadowing

    feast_boot.neutralise_typeguard()
    return shadowing
