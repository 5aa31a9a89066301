"""A long past for a home: records and ledger entries of hours that came before, copied from those of one real hour."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import ledger, state, tables
from airloop.stores.ledger import chain

Template = Mapping[str, Any]

_HOUR = timedelta(hours=1)
_STAGES = ("ingest", "validate_raw", "build_features", "validate_features", "score")
_LOOKS = ("monitor", "triage")


def add_past(settings: Settings, model: Settings, pipeline: str, *, hour: Window, look: Window, windows: int) -> None:
    """Put hours before `hour` into a home, each with its records and a look of its own.

    Their records lie before all that is there, as older ones do; their entries of the ledger follow what is there.

    Args:
        model: A home in which every stage of the hour, and of the look, ran.
    """
    places = dict.fromkeys(_STAGES, hour) | dict.fromkeys(_LOOKS, look)
    by_stage = {stage: state.latest_records(model, pipeline, stage, window=at) for stage, at in places.items()}
    templates = {stage: records[-1] for stage, records in by_stage.items()}
    triage = ledger.entries(model, pipeline, kind="triage")[-1].payload
    hours = [Window(hour.start - back * _HOUR, hour.end - back * _HOUR) for back in range(windows, 0, -1)]
    head = ledger.heads(settings, [pipeline])[pipeline]
    entries = list(_entries(pipeline, triage, hours, head))
    rows = list(_rows(pipeline, templates, hours, first=head[0] + 1))
    runs, newest = tables.stage_runs, entries[-1]
    with state.transaction(settings) as connection:
        # What is there came later: its numbers are the larger ones.
        connection.execute(sa.update(runs).values(id=runs.c.id + len(rows)))
        connection.execute(sa.insert(runs), [row | {"id": number} for number, row in enumerate(rows, start=1)])
        connection.execute(sa.insert(tables.ledger_entries), entries)
        written_down = {name: newest[name] for name in ("pipeline", "sequence", "hash")}
        heads = tables.ledger_heads
        connection.execute(sa.delete(heads).where(heads.c.pipeline == pipeline))
        connection.execute(sa.insert(heads).values(**written_down))


def _rows(
    pipeline: str, templates: Mapping[str, Template], hours: list[Window], *, first: int
) -> Iterator[dict[str, Any]]:
    for sequence, window in enumerate(hours, start=first):
        for stage, template in templates.items():
            record = dict(template) | {"window": window.to_json()}
            if stage == "triage":
                record = _of_hour(template, window) | {"sequence": sequence}
            yield {
                "pipeline": pipeline,
                "stage": stage,
                "input_key": f"{stage} {sequence}",
                "window_start": state.instant_text(window.start),
                "window_end": state.instant_text(window.end),
                "record": json.dumps(record, sort_keys=True),
                "finished_at": state.instant_text(window.end),
            }


def _entries(pipeline: str, triage: Template, hours: list[Window], head: tuple[int, str]) -> Iterator[dict[str, Any]]:
    newest, previous = head
    for sequence, window in enumerate(hours, start=newest + 1):
        payload = _of_hour(triage, window) | {"window": window.to_json()}
        row = {"pipeline": pipeline, "sequence": sequence, "previous_hash": previous, "kind": "triage"}
        row |= {name: state.instant_text(window.end) for name in ("effective_at", "recorded_at")}
        row |= {"payload": chain.canonical(payload)}
        previous = chain.row_hash(row)
        yield row | {"hash": previous}


def _of_hour(triage: Template, window: Window) -> dict[str, Any]:
    """What triage says of a window as of the hour it was copied from, with its own end."""
    return dict(triage) | {"cutoff": window.to_json()["end"]}
