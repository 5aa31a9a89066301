"""Quality as rows of `make bench`: what the declared loop is worth on a data set, as `airloop backtest` finds it."""

import math

from airloop.authoring import backtest as backtests
from airloop.authoring.backtest import Backtest, Outcome
from airloop.feast_stores import feast_boot
from airloop.settings import load_settings
from benchmarks.backtests import place
from benchmarks.row import Row
from benchmarks.session import Session

BOUND = 1.11
"""Nine tenths of what retraining every month, ungated, gains over never."""


def kept(name: str, session: Session, *, row: str, unit: str, scale: float = 1.0) -> Row:
    """What retraining every month gains over never, by what the declared loop gains; not ok where that gains nothing.

    Args:
        scale: How many of `unit` the metric's own unit has.
    """
    result, by_name = _replayed(name, session)
    most, own = (scale * _gain(by_name[policy]) for policy in ("always", "declared"))
    return Row(row, most, max(own, 0.0), bound=BOUND, unit=unit, note=_note(result, by_name))


def not_worse(name: str, session: Session, *, row: str, bound: float, unit: str) -> Row:
    """The declared loop's error by that of never retraining, where retraining gains nothing."""
    result, by_name = _replayed(name, session)
    never, own = (_error(result, by_name[policy]) for policy in ("never", "declared"))
    return Row(row, own, never, bound=bound, unit=unit, note=_note(result, by_name))


def _replayed(name: str, session: Session) -> tuple[Backtest, dict[str, Outcome]]:
    feast_boot.neutralise_typeguard()
    pipeline, settings = place.prepared(name, session.folder(name), load_settings().project_dir)
    past = backtests.past_of(pipeline, settings, every="monthly", on_progress=session.say)
    policies = backtests.find_policies(("never", "always", "declared"))
    result = backtests.backtest(past, policies, every="monthly", on_progress=session.say)
    return result, {outcome.policy: outcome for outcome in result.outcomes}


def _gain(outcome: Outcome) -> float:
    return math.nan if outcome.gain is None else outcome.gain.gain


def _error(result: Backtest, outcome: Outcome) -> float:
    return (outcome.pooled[result.metric] or (math.nan,))[0]


def _note(result: Backtest, by_name: dict[str, Outcome]) -> str:
    never, always, own = (by_name[policy] for policy in ("never", "always", "declared"))
    errors = ", ".join(f"{_error(result, outcome):.4g}" for outcome in (never, always, own))
    every = len(always.trainings)
    return (
        f"{result.metric} {errors} (never, every month, declared); {len(own.trainings)} trainings in place of {every}, "
        f"a third is {every // 3}; {own.promotions} promotions, {own.rollbacks} taken back; {own.seconds:.0f} s and "
        f"{always.seconds:.0f} s. As `airloop pipelines new` writes it (docs/backtests.md)"
    )
