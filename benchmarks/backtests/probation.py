"""`python -m benchmarks.backtests.probation NAME ...`: what growth brings, and what probation takes.

The declared loop with the probe alone, with `growth` beside it that must not be surely worse, and with
`gate.probation: roll_back` on top. `share` is of what retraining after every window gains over never; `surely worse`
are promotions whose first rows show a sure loss, with what they show.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from airloop.settings import load_settings
from benchmarks.backtests import commands

if TYPE_CHECKING:
    from airloop.authoring.backtest import Outcome
    from airloop.config import Pipeline

CLONE = Path(__file__).parents[2]
FACTOR = 1.5


def main(names: list[str]) -> int:
    """0, or 2 for a name that there is not."""
    from benchmarks.backtests import place

    if not commands.known(names, place.names()):
        return 2
    print("| data set | declared loop | gain over never | share | trainings | promotions | surely worse | taken back |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        _measure(name)
    return 0


def _measure(name: str) -> None:
    import dataclasses

    from airloop.authoring import backtest as backtests
    from benchmarks.backtests import place

    declared, settings = place.prepared(name, load_settings().home, CLONE)
    past = backtests.past_of(declared, settings, every="monthly", on_progress=commands.say)
    most = None
    for says, pipeline in policies(past.pipeline).items():
        asked = backtests.find_policies(("declared",) if most else ("always", "declared"))
        of_policy = dataclasses.replace(past, pipeline=pipeline)
        found = backtests.backtest(of_policy, asked, every="monthly", on_progress=commands.say)
        by_name = {outcome.policy: outcome for outcome in found.outcomes}
        most = most or by_name["always"]
        print(row(name, says, by_name["declared"], most), flush=True)


def policies(pipeline: "Pipeline") -> "Mapping[str, Pipeline]":
    """Words for each declared loop -> the pipeline that declares it."""
    from airloop.config.triggers import TriggerDeclaration

    kinds = ({"kind": "probe"}, {"kind": "growth", "factor": FACTOR})
    probe, growth = (TriggerDeclaration.model_validate(kind) for kind in kinds)
    compare = pipeline.gate.compare
    lax = compare.model_copy(update={"rule": {**compare.rule, "growth": "not_surely_worse"}})
    gate = pipeline.gate.model_copy(update={"compare": lax, "probation": None})

    def of(*triggers: TriggerDeclaration, **changes: object) -> "Pipeline":
        watched = pipeline.monitoring.model_copy(update={"triggers": triggers})
        return pipeline.model_copy(update={"monitoring": watched, "gate": gate.model_copy(update=changes)})

    return {
        "probe": of(probe),
        "probe, growth": of(probe, growth),
        "probe, growth, probation": of(probe, growth, probation="roll_back"),
    }


def row(name: str, says: str, outcome: "Outcome", most: "Outcome") -> str:
    """A row of the table."""
    gain, possible = outcome.gain, most.gain
    share = gain.gain / possible.gain if gain and possible and possible.lower > 0 else None
    lost = [item.after for item in outcome.trainings if item.after is not None and item.after.upper < 0]
    cells = (
        name,
        says,
        "-" if gain is None else f"{gain.gain:+.4g} [{gain.lower:+.4g}, {gain.upper:+.4g}]",
        "-" if share is None else f"{share:.0%}",
        len(outcome.trainings),
        outcome.promotions,
        ", ".join(f"{item.gain:+.4g} [{item.lower:+.4g}, {item.upper:+.4g}]" for item in lost) or "none",
        outcome.rollbacks,
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    commands.start(main)
