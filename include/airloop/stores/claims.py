"""Which run answers a reason for a training: exactly one, whoever asks and however often."""

from datetime import UTC, datetime

import sqlalchemy as sa

from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.tables import answered_reasons


def claim_reason(settings: Settings, pipeline: str, *, reason_key: str, run_key: str) -> bool:
    """Let exactly one run answer a reason; the run that claimed it may claim it again (a retry).

    Returns:
        False when another run answered or answers this reason.
    """
    row = {"pipeline": pipeline, "reason_key": reason_key, "run_key": run_key}
    try:
        with state.transaction(settings) as connection:
            connection.execute(
                answered_reasons.insert().values(**row, claimed_at=state.instant_text(datetime.now(UTC)))
            )
    except sa.exc.IntegrityError:
        return reason_owner(settings, pipeline, reason_key) == run_key
    return True


def take_over_reason(settings: Settings, pipeline: str, *, reason_key: str, from_run: str, run_key: str) -> bool:
    """Let another run answer a reason in place of the one that claimed it.

    Returns:
        False when `from_run` does not own it any more: another run was faster.
    """
    table = answered_reasons
    mine = sa.and_(table.c.pipeline == pipeline, table.c.reason_key == reason_key, table.c.run_key == from_run)
    values = {"run_key": run_key, "claimed_at": state.instant_text(datetime.now(UTC))}
    with state.transaction(settings) as connection:
        return connection.execute(table.update().where(mine).values(**values)).rowcount == 1


def reason_owner(settings: Settings, pipeline: str, reason_key: str) -> str | None:
    """The `run_key` that claimed a reason; None when nobody did."""
    table = answered_reasons
    query = sa.select(table.c.run_key).where(table.c.pipeline == pipeline, table.c.reason_key == reason_key)
    with state.reading(settings) as connection:
        return connection.execute(query).scalar()
