"""Ids of DAG runs that are made of what asks for them."""

import re

_LONGEST = 200


def as_run_id(text: str) -> str:
    """Text as part of a run id: what Airflow does not allow there becomes a dash."""
    return re.sub(r"[^A-Za-z0-9_.~:+-]", "-", text)[:_LONGEST]
