"""Two sides are compared only when they give the same result."""

import pandas as pd

from airloop.errors import DataContractError


def refuse_different(ours: pd.DataFrame, peer: pd.DataFrame, *, key: str) -> None:
    """Compare every value of two frames by key; their types, row and column order may differ, and a null is a null.

    Raises:
        DataContractError: Rows, columns or a value differ; names the first column.
    """
    if sorted(ours.columns) != sorted(peer.columns) or len(ours) != len(peer):
        raise DataContractError(f"ours has {ours.shape} rows and columns, the peer {peer.shape}: they did other work")
    left, right = (frame.sort_values(key, ignore_index=True) for frame in (ours, peer))
    for name in left.columns:
        equal = (left[name] == right[name]) | (left[name].isna() & right[name].isna())
        if not equal.all():
            row = int((~equal).argmax())
            raise DataContractError(
                f"column {name} differs in {int((~equal).sum())} of {len(left)} rows, first at {left[key][row]}: "
                f"ours {left[name][row]}, the peer {right[name][row]}"
            )
