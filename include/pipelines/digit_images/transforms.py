"""From an image as it lands to numbers a model takes; features.sql says which view's rows go through which function."""

import base64

import numpy as np
import pyarrow as pa

_SIDE = 8
_MOST_INK = 16


def decode_pixels(rows: pa.Table) -> pa.Table:
    """`image` becomes `pixels` (64 numbers from 0 to 1, row by row from the top) and `ink` (their mean)."""
    images = [base64.b64decode(image, validate=True) for image in rows["image"].to_pylist()]
    pixels = np.frombuffer(b"".join(images), np.uint8).reshape(len(images), _SIDE * _SIDE) / _MOST_INK
    return (
        rows.drop_columns(["image"])
        .append_column("pixels", pa.array(list(pixels), pa.list_(pa.float64())))
        .append_column("ink", pa.array(pixels.mean(axis=1), pa.float64()))
    )
