"""Two sides of drift: rows of then and of now, with a planted shift or none."""

import numpy as np
import pandas as pd

from airloop.watch.drift import Sides

ROWS = 2000


def side(seed: int, *, shift: float = 0.0, rows: int = ROWS, city: str = "abc") -> Sides:
    draw = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "steady": draw.normal(size=rows),
            "shifted": draw.normal(size=rows) + shift,
            "city": draw.choice(list(city), size=rows),
        }
    )
    return Sides(features, pd.Series(draw.uniform(size=rows) ** (1 + shift)), categories=("city",))
