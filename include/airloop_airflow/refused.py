"""DAGs of a pipeline whose declaration is refused: they keep their tasks, and each task fails with the reason.

A DAG that vanished would take the pipeline's history out of sight, and an import error would take away the DAGs of
every pipeline that the same file makes. This file is imported at every parse, so it imports nothing heavy.
"""

import re
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from airloop.config import Pipeline

TAG = "refused"
_DAG_ID = re.compile(r"[a-z][a-z0-9_]{0,199}")


class Refused(Pipeline):
    """Stands in for the declaration that nobody can read."""

    refusal: str


def stand_in(name: str, refusal: str) -> Refused:
    """What the DAG files need of a pipeline to give its DAGs their tasks; nothing of it was checked.

    Args:
        refusal: The reason, complete: it names the file and its line.
    """
    values: dict[str, Any] = {
        "name": name,
        "refusal": refusal,
        "owner": "unknown",
        "description": "its declaration is refused",
        "tags": (TAG,),
        "calendar": "monthly",
        "feeds": {},
        "training": SimpleNamespace(candidates={}),
    }
    return Refused.model_construct(**values)


def can_have_dags(name: str) -> bool:
    """Whether a DAG's id can begin with the name of this folder; no pipeline was ever declared in another."""
    return _DAG_ID.fullmatch(name) is not None


def arguments(pipeline: Refused, doc: str) -> dict[str, Any]:
    """What a refused pipeline's DAG says of itself, instead of what its declaration would: `description`, `doc_md`."""
    first = pipeline.refusal.splitlines()[0]
    # Indented, it is shown as it is: the message quotes the file, which may hold any markup.
    quoted = "\n".join(f"    {line}" for line in pipeline.refusal.splitlines())
    says = f"**The declaration of {pipeline.name} is refused.** Every task fails until it is mended; then clear them."
    return {"description": f"{pipeline.name}: refused: {first}"[:250], "doc_md": f"{says}\n\n{quoted}\n\n{doc.strip()}"}


def task_arguments(pipeline: Refused) -> dict[str, Any]:
    """Default arguments that make every task fail at once, before it does anything."""
    return {"pre_execute": partial(_refuse, refusal=pipeline.refusal)}


def _refuse(_context: Mapping[str, Any], *, refusal: str) -> None:
    raise AirflowFailException(f"the declaration is refused; mend it, then clear this task:\n{refusal}")
