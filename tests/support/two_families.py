"""Rows of which trees and a linear model each find a part, and declarations that let several models answer together."""

import numpy as np
import pandas as pd

FEATURES = ["job_size", "celsius", "machine_code"]


def voting(pipeline, by="vote", **changes):
    """The declaration with `training.ensemble.by` and other changes of `training`."""
    training = pipeline.training.model_dump() | {"ensemble": {"by": by}} | changes
    return pipeline.model_copy(update={"training": type(pipeline.training).model_validate(training)})


def rows(count=3000, *, straight=1.5, steps=0.5):
    """What happens depends on a straight line that a linear model finds, and on steps that trees find."""
    draw = np.random.default_rng(5)
    size, celsius = draw.normal(size=(2, count))
    machine = draw.integers(0, 4, count)
    risk = straight * size + steps * (2.0 * (celsius > 0) - 1) * np.where(machine < 2, 1, -1)
    label = (draw.uniform(size=count) < 1 / (1 + np.exp(-2 * risk))).astype(float)
    return pd.DataFrame(
        {
            "decision_time": pd.date_range("2020-01-01", periods=count, freq="20min", tz="UTC"),
            "job": [f"j{place}" for place in range(count)],
            "job_size": size,
            "celsius": celsius,
            "machine_code": pd.Series(machine).map("m{}".format),
            "label": label,
        }
    )
