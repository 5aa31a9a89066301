"""Columns that tell the label by themselves: rarely a good feature, mostly what is known only with the outcome."""

import itertools
from collections.abc import Iterable

import polars as pl

from airloop.authoring.scaffold.columns import Column
from airloop.authoring.scaffold.roles import Roles

_TELLS_APART = 0.98  # ROC-AUC of the column alone
_FOLLOWS = 0.99  # rank correlation
_FEWEST_ROWS_A_TEXT = 10


def find_suspects(values: pl.DataFrame, roles: Roles, columns: Iterable[Column]) -> dict[str, str]:
    """Column -> how closely it follows the label, in words; looked at one by one, on the rows that have both."""
    suspects = {}
    for column in columns:
        if column.feature is not None:
            both = values.select(x=column.name, y=roles.label).drop_nulls()
            if says := _says(both, roles):
                suspects[column.name] = says
    return suspects


def _says(both: pl.DataFrame, roles: Roles) -> str:
    if both["x"].dtype == pl.String:
        return _by_text(both) if roles.task != "regression" else ""
    rank = both["x"].cast(pl.Float64).rank()
    if roles.task == "binary":
        positive = both["y"] == roles.classes[-1]
        area = _area(rank, positive)
        return f"tells the label apart by itself (ROC-AUC {area:.3f})" if area >= _TELLS_APART else ""
    if roles.task == "regression":
        follows = both.select(pl.corr(rank, both["y"].rank())).item() or 0.0
        return f"moves with the label (rank correlation {follows:.3f})" if abs(follows) >= _FOLLOWS else ""
    return _by_classes(both.select(x=rank, y="y"))


def _by_classes(both: pl.DataFrame) -> str:
    """Classes in the order of their medians: told apart when each is from the next."""
    order = both.group_by("y").agg(pl.col("x").median()).sort("x", "y")["y"].to_list()
    areas = []
    for lower, higher in itertools.pairwise(order):
        pair = both.filter(pl.col("y").is_in([lower, higher]))
        areas.append(_area(pair["x"].rank(), pair["y"] == higher))
    worst = min(areas, default=0.0)
    return f"tells the classes apart by itself (ROC-AUC at least {worst:.3f})" if worst >= _TELLS_APART else ""


def _area(rank: pl.Series, positive: pl.Series) -> float:
    """ROC-AUC of a rank in the direction that fits; 0 when a side is empty."""
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return 0.0
    area = (float(rank.filter(positive).sum()) - ones * (ones + 1) / 2) / (ones * zeros)
    return max(area, 1 - area)


def _by_text(both: pl.DataFrame) -> str:
    texts = both.group_by("x").agg(pl.col("y").n_unique())
    crowded = texts.height * _FEWEST_ROWS_A_TEXT <= both.height
    return "goes with one label at each of its values" if crowded and bool((texts["y"] == 1).all()) else ""
