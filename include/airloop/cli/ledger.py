"""The history of decisions."""

import json
from collections.abc import Sequence
from typing import Any

import typer

from airloop.cli.output import AsJson, checked, console, table

app = typer.Typer(no_args_is_help=True, help="The history of decisions.")


@app.command("show", epilog="Example: airloop ledger show PIPELINE")
def ledger_show(pipeline: str, as_json: AsJson = False) -> None:
    """Every entry: what was decided, when it takes effect, and why."""
    from airloop import ledger

    _print_entries(ledger.entries(checked(pipeline), pipeline), as_json=as_json)


@app.command("at", epilog="Example: airloop ledger at PIPELINE 2013-06-01T00:00:00Z")
def ledger_at(pipeline: str, instant: str, as_json: AsJson = False) -> None:
    """What was in force at an instant of data time."""
    from airloop import ledger
    from airloop.records import parse_instant

    settings, when = checked(pipeline), parse_instant(instant)
    if not as_json:
        console.print(f"champion at {when:%Y-%m-%dT%H:%MZ}: {ledger.champion_at(settings, pipeline, when) or 'none'}")
    _print_entries(ledger.at(settings, pipeline, when), as_json=as_json)


@app.command("verify", epilog="Example: airloop ledger verify PIPELINE")
def ledger_verify(pipeline: str) -> None:
    """Recompute the hash chain; a changed, removed or inserted entry is named and the exit code is 1."""
    from airloop import ledger

    settings = checked(pipeline)
    problems = ledger.verify(settings, pipeline)
    for problem in problems:
        console.print(problem)
    if problems:
        raise typer.Exit(1)
    console.print(f"{len(ledger.entries(settings, pipeline))} entries, the chain holds")


def _print_entries(entries: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([entry.to_json() for entry in entries]))
        return
    rows = [(str(e.sequence), e.kind, f"{e.effective_at:%Y-%m-%d}", _gist(e), e.hash[:12]) for e in entries]
    console.print(table(("#", "kind", "effective", "what", "hash"), rows))


def _gist(entry: Any) -> str:
    payload = entry.payload
    version, before = payload.get("version"), payload.get("previous_version")
    said = payload.get("why") or payload.get("kind") or ""
    if not said and entry.kind == "intended":
        said = f"is to be the champion, by decision {payload.get('decision_sequence')}"
    elif not said and entry.kind == "done":
        said = f"is the champion{f', in place of v{before}' if before else ''}"
    return f"v{version} {said}".strip() if version is not None else str(said)
