"""Quality beside time: what the loop's policy is worth on a real year, as `airloop backtest` finds it."""

from airloop.authoring import backtest as backtests
from airloop.feast_stores import feast_boot
from airloop.settings import load_settings
from benchmarks.backtests import place
from benchmarks.row import Row
from benchmarks.session import Session

NAME = "error of the declared loop on a year of bike hours / of retraining every month, ungated"
BOUND = 1.03
"""Nine tenths of what retraining every month gains over never, on this set."""
UNIT = "bikers"

_SET, _POLICIES = "bike_hours", ("never", "always", "declared")


def measure(session: Session) -> Row:
    """The live MAE of both; the note says what they took."""
    feast_boot.neutralise_typeguard()
    pipeline, settings = place.prepared(_SET, session.folder("policy_quality"), load_settings().project_dir)
    past = backtests.past_of(pipeline, settings, every="monthly", on_progress=session.say)
    result = backtests.backtest(past, backtests.find_policies(_POLICIES), every="monthly", on_progress=session.say)
    by_name = {outcome.policy: outcome for outcome in result.outcomes}
    never, always, declared = (by_name[name] for name in _POLICIES)
    errors = [(outcome.pooled[result.metric] or (float("nan"),))[0] for outcome in (never, always, declared)]
    note = (
        f"never retraining is off by {errors[0]:.1f}; {len(declared.trainings)} trainings in {declared.seconds:.0f} s "
        f"against {len(always.trainings)} in {always.seconds:.0f} s. A data set of benchmarks/backtests, by the policy "
        "that `airloop pipelines new` writes. The best two dates, known afterwards, come to 1.05, and three to 1.02 "
        "(docs/adr/0011-how-much-a-policy-can-gain.md)"
    )
    return Row(NAME, errors[2], errors[1], bound=BOUND, unit=UNIT, note=note)
