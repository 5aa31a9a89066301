"""Classes one by one: how often each was predicted and came, as a look counted them."""

from collections.abc import Mapping
from typing import Any

_MOST_COLUMNS = 12
"""A wider matrix does not fit a page; the rows of all classes stay."""


def table(monitored: Mapping[str, Any]) -> dict[str, Any]:
    """Of each class its rows, precision and recall, and of few classes what was predicted of its rows.

    Precision is the share of what was predicted as the class that was one, recall the share of the class that was
    predicted so; None where there is nothing to divide by.
    """
    names, confusion = list(monitored.get("classes", ())), [list(line) for line in monitored.get("confusion", ())]
    lines = []
    for number, (name, counted) in enumerate(zip(names, confusion, strict=True)):
        predicted, right = sum(line[number] for line in confusion), counted[number]
        lines.append(
            {
                "name": name,
                "rows": sum(counted),
                "predicted": predicted,
                "precision": right / predicted if predicted else None,
                "recall": right / sum(counted) if sum(counted) else None,
                "cells": [{"rows": rows, "right": place == number} for place, rows in enumerate(counted)],
            }
        )
    return {"names": names, "lines": lines, "matrix": len(names) <= _MOST_COLUMNS}
