"""`python -m benchmarks.backtests.kinds [NAME ...]`: what quantiles, anomalies and unlabelled rows gain on real data.

A model is trained at the end of every window, ungated, and measured on the window after it.

- `flight_ranges`: the share of labels at or below each quantile, the width from the lowest to the highest, and the
  pinball loss beside that of the quantiles of all earlier labels, the same for every row.
- `airport_disruptions`: the share of alarms, of alarms that were disrupted hours, and of disrupted hours that were
  alarms; no label was learned from.
- `flight_few_labels`: self-training against none, on every flight's outcome, also those nobody had written down.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airloop.settings import load_settings
from benchmarks.backtests import commands

if TYPE_CHECKING:
    import pandas as pd

    from airloop.authoring.backtest.past import Past

CLONE = Path(__file__).parents[2]
NAMES = ("flight_ranges", "airport_disruptions", "flight_few_labels")


def main(names: list[str]) -> int:
    """0, or 2 for a name that there is not."""
    if not commands.known(names, NAMES):
        return 2
    for name in names or NAMES:
        print(name)
        for what, value in (_unlabelled(name) if name == "flight_few_labels" else _of_its_kind(name)).items():
            print(f"  {what}: {value}", flush=True)
    return 0


def _of_its_kind(name: str) -> dict[str, Any]:
    import numpy as np

    from airloop.models.evidence import metric_value
    from airloop.problems import PREDICTION, task_of

    past = _past(name)
    task, metric = task_of(past.pipeline), past.pipeline.gate.compare.metric
    rows, _ = _live(past)
    labels, predicted = rows["label"], task.from_column(rows[PREDICTION])
    figures = {"rows": len(rows), metric: metric_value(metric, labels, predicted)} | task.extra_metrics(
        labels.to_numpy(), predicted
    )
    if task.kind == "quantiles":
        before = past.known(past.span, as_of=rows["decision_time"].min())["label"].dropna()
        constant = np.quantile(before, past.pipeline.prediction.quantiles)
        same = task.from_column(rows[PREDICTION].map(lambda _row: list(constant)))
        figures |= {"constant": metric_value(metric, labels, same), "constant_width": float(constant[-1] - constant[0])}
    return figures


def _unlabelled(name: str) -> dict[str, Any]:
    import pandas as pd

    from airloop.models import evidence
    from airloop.models.bootstrap import Bootstrap
    from airloop.models.self_training import uses_unlabelled
    from airloop.problems import PREDICTION
    from benchmarks.backtests import flight_tables

    flights = flight_tables.flight_minutes(CLONE).select("flight_id", "arrival_delay_minutes").to_pandas()
    late = pd.DataFrame({"flight_id": flights["flight_id"], "truth": flights["arrival_delay_minutes"] >= 15.0})
    past, sides, used = _past(name), [], 0
    for by in ("none", "self_training"):
        training = past.pipeline.training
        changed = training.model_copy(update={"unlabelled": training.unlabelled.model_copy(update={"by": by})})
        with_training = dataclasses.replace(past, pipeline=past.pipeline.model_copy(update={"training": changed}))
        rows, models = _live(with_training, every_row=True)
        sides.append(rows.merge(late, on="flight_id", validate="one_to_one").sort_values("decision_time"))
        used = sum(uses_unlabelled(model.params) for model in models)
    without, using = sides
    days = evidence.utc_days(without["decision_time"])
    drawn = Bootstrap(0.95, 400, 1)
    truth = without["truth"].astype(float)
    compared = evidence.compare(truth, without[PREDICTION], using[PREDICTION], days, metric="brier", bootstrap=drawn)
    gain = f"{compared.gain:+.5f} [{compared.lower:+.5f}, {compared.upper:+.5f}]"
    return {"rows": len(without), "trainings": len(models), "used": used, "without": compared.champion, "gain": gain}


def _past(name: str) -> "Past":
    from airloop.authoring import backtest as backtests
    from benchmarks.backtests import place

    pipeline, settings = place.prepared(name, load_settings().home, CLONE)
    return backtests.past_of(pipeline, settings, every="monthly", on_progress=commands.say)


def _live(past: "Past", *, every_row: bool = False) -> "tuple[pd.DataFrame, list[Any]]":
    """Rows with `label` and the prediction of the model that was trained before their window; those models."""
    import pandas as pd

    from airloop.authoring.backtest.calendar import first_cutoff, windows_of
    from airloop.authoring.backtest.replay import first_model
    from airloop.authoring.backtest.work import Work

    work, windows = Work(past, commands.say), windows_of("monthly", past.span)
    earliest = first_cutoff(past.pipeline, windows)
    if earliest is None:
        raise SystemExit(f"{past.pipeline.name}: too short for a first training")
    model, _ = first_model(work, windows, earliest)
    live = [window for window in windows if window.start >= model.cutoff]
    key, parts, models = [past.pipeline.prediction.entity_key, "decision_time"], [], []
    for window in live:
        models.append(model)
        rows = past.known(window, as_of=past.span.end)
        rows = rows if every_row else rows.dropna(subset=["label"])
        parts.append(rows.merge(work.scored(model, window)[0], on=key, validate="one_to_one"))
        model = work.goes_in_force(work.training(window.end, model)[0])[0] if window is not live[-1] else model
    return pd.concat(parts, ignore_index=True), models


if __name__ == "__main__":
    commands.start(main)
