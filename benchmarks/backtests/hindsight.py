"""`python -m benchmarks.backtests.hindsight NAME ...`: the most that so many retrainings gain, their dates known after.

A model is trained at the end of every window, ungated, and each is measured on all windows after it. Of all choices of
k dates the best is taken: no policy that asks for k trainings of these models gains more. `share` is of what retraining
after every window gains over never.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from airloop.settings import load_settings
from benchmarks.backtests import commands

if TYPE_CHECKING:
    import numpy as np

CLONE = Path(__file__).parents[2]


def main(names: list[str]) -> int:
    """0, or 2 for a name that there is not."""
    from benchmarks.backtests import place

    if not commands.known(names, place.names()):
        return 2
    for name in names:
        print(f"{name}\n| retrainings | share | at |\n|---|---|---|")
        for count, share, months in shares(name):
            print(f"| {count} | {share:.0%} | {', '.join(months)} |", flush=True)
    return 0


def shares(name: str) -> Iterator[tuple[int, float, list[str]]]:
    """Number of retrainings, the best share they reach, and when; up to every window."""
    import numpy as np

    starts, losses = _losses(name)
    count = len(starts)

    @cache
    def best(window: int, left: int) -> tuple[float, tuple[int, ...]]:
        """The least loss from a window on with its model in force and so many retrainings left, and when."""
        summed = np.cumsum(losses[window, window:])
        options = [(float(summed[-1]), ())]
        if left:
            for later in range(window + 1, count):
                rest, dates = best(later, left - 1)
                options.append((float(summed[later - window - 1]) + rest, (later, *dates)))
        return min(options)

    never, always = float(losses[0].sum()), float(np.trace(losses))
    for left in range(1, count):
        loss, dates = best(0, left)
        yield left, (never - loss) / (never - always), [starts[date] for date in dates]


def _losses(name: str) -> "tuple[list[str], np.ndarray[tuple[int, int], np.dtype[np.float64]]]":
    """Months, and the summed loss of the model of each (row) on each (column); 0 before it is trained."""
    import numpy as np

    from airloop.authoring import backtest as backtests
    from airloop.authoring.backtest.calendar import first_cutoff, windows_of
    from airloop.authoring.backtest.replay import first_model
    from airloop.authoring.backtest.work import Work
    from airloop.models import evidence
    from airloop.problems import PREDICTION
    from benchmarks.backtests import place

    declared, settings = place.prepared(name, load_settings().home, CLONE)
    past = backtests.past_of(declared, settings, every="monthly", on_progress=commands.say)
    pipeline, work, windows = past.pipeline, Work(past, commands.say), windows_of("monthly", past.span)
    earliest = first_cutoff(pipeline, windows)
    if earliest is None:
        raise SystemExit(f"{name}: too short for a first training")
    first, _ = first_model(work, windows, earliest)
    live = [window for window in windows if window.start >= first.cutoff]
    models = [first]
    for window in live[:-1]:
        models.append(work.goes_in_force(work.training(window.end, models[-1])[0])[0])
    losses, key = np.zeros((len(live), len(live))), [pipeline.prediction.entity_key, "decision_time"]
    for column, window in enumerate(live):
        rows = past.known(window, as_of=past.span.end).dropna(subset=["label"])
        for row, model in enumerate(models[: column + 1]):
            both = rows.merge(work.scored(model, window)[0], on=key, how="inner", validate="one_to_one")
            predicted = work.task.from_column(both[PREDICTION])
            losses[row, column] = len(both) * evidence.metric_value(
                pipeline.gate.compare.metric, both["label"], predicted
            )
    return [f"{window.start:%Y-%m}" for window in live], losses


if __name__ == "__main__":
    commands.start(main)
