"""Values of a tensor against the data type that it says it is: 300 is not an INT8, and 1.5 is not an INT64."""

import math
from collections.abc import Sequence
from typing import Any

from airloop.serving.refused import Refused

# What rounds to infinity in a type lies beyond.
_REAL = {
    name: (-most, most) for name, most in (("FP64", math.inf), ("FP32", 3.4028235677973366e38), ("FP16", 65519.99))
}
_WHOLE: dict[str, tuple[float, float]] = {
    **{f"INT{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (64, 32, 16, 8)},
    **{f"UINT{bits}": (0, (1 << bits) - 1) for bits in (64, 32, 16, 8)},
}
_BOUNDS = _REAL | _WHOLE
_TYPES: dict[str, frozenset[type]] = {
    **dict.fromkeys(_REAL, frozenset({float, int})),
    **dict.fromkeys(_WHOLE, frozenset({int})),
    "BOOL": frozenset({bool}),
    "BYTES": frozenset({str}),
}
DATATYPES = tuple(_TYPES)


def refuse_unfit(datatype: str, values: Sequence[Any], where: str) -> None:
    """Refuse a value that the data type cannot hold; null is a missing value of any type.

    Raises:
        Refused: Says which value.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= _TYPES[datatype] and _within(datatype, values):
        return
    for at, value in enumerate(values):
        if value is not None and not _fits(datatype, value):
            says = f"{where}: value {at} is no {datatype}: name the type that it is, or send null where it is missing"
            raise Refused(422, "wrong_datatype", says, field=f"{where}.data[{at}]", value=value)


def _within(datatype: str, values: Sequence[Any]) -> bool:
    if datatype not in _BOUNDS:
        return True
    (low, high), present = _BOUNDS[datatype], [*filter(None, values)]  # nothing and zero fit everywhere
    return not present or (low <= min(present) and max(present) <= high)


def _fits(datatype: str, value: Any) -> bool:
    if datatype not in _BOUNDS:
        return type(value) in _TYPES[datatype]
    low, high = _BOUNDS[datatype]
    whole = type(value) is int or (type(value) is float and value.is_integer())
    return (whole or (type(value) is float and datatype in _REAL)) and low <= value <= high
