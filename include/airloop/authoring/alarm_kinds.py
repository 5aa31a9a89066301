"""The kinds of alarms that airloop raises, read from where it raises them, so that a new one needs no list."""

import re
from functools import cache
from pathlib import Path

from airloop.config import Pipeline
from airloop.config.nearest import nearest

_RAISED = re.compile(r'\bAlarm\(\s*(?:kind=)?"([a-z_]+)"|\bkind = "([a-z_]+)"(?: if [^"]* else "([a-z_]+)")?')


@cache
def alarm_kinds() -> frozenset[str]:
    """Every kind that a stage may notice."""
    folder = Path(__file__).parents[1]
    texts = (path.read_text(encoding="utf-8") for part in ("data", "watch") for path in folder.glob(f"{part}/**/*.py"))
    return frozenset(kind for text in texts for kinds in _RAISED.findall(text) for kind in kinds if kind)


def unknown_kinds(pipeline: Pipeline) -> list[str]:
    """A line for each kind of `validation.fail_on` that no stage raises: it would fail nothing, ever."""
    kinds = pipeline.validation.fail_on
    unknown = sorted(set(kinds) - alarm_kinds()) if kinds else []
    return [
        f"{pipeline.name}/pipeline.yaml: validation.fail_on: no alarm is of the kind {kind!r}"
        f"{nearest(kind, alarm_kinds())} (kinds: {', '.join(sorted(alarm_kinds()))})"
        for kind in unknown
    ]
