"""A class that a model file may hold because a person has reviewed it."""

import sys
from typing import Annotated

from pydantic import AfterValidator

from airloop.config.node import AttributePath


def _of_a_project(path: str) -> str:
    top = path.partition(":")[0].partition(".")[0]
    if top in sys.stdlib_module_names:
        raise ValueError(f"{path} is of Python's standard library, which a model file never needs: name your own class")
    return path


TrustedType = Annotated[AttributePath, AfterValidator(_of_a_project)]
