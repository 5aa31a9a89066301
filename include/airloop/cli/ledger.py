"""The history of decisions."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from airloop.cli.output import AsJson, checked, console, table, write_line
from airloop.cli.person import login_name

app = typer.Typer(no_args_is_help=True, help="The history of decisions.")


@app.command("show", epilog="Example: airloop ledger show PIPELINE")
def ledger_show(pipeline: str, as_json: AsJson = False) -> None:
    """Every entry: what was decided, when it takes effect, and why."""
    from airloop.stores import ledger
    from airloop.stores.ledger import promises

    entries = ledger.entries(checked(pipeline), pipeline)
    _print_entries(entries, as_json=as_json)
    if not as_json and (record := promises.track_record(entries)):
        write_line(f"the gate's word: {record}")


@app.command("at", epilog="Example: airloop ledger at PIPELINE 2013-06-01T00:00:00Z")
def ledger_at(pipeline: str, instant: str, as_json: AsJson = False) -> None:
    """What was in force at an instant of data time."""
    from airloop.records import parse_instant
    from airloop.stores import ledger

    settings, when = checked(pipeline), parse_instant(instant)
    if not as_json:
        champion = ledger.history(settings, pipeline).champion(when)
        console.print(f"champion at {when:%Y-%m-%dT%H:%MZ}: {champion or 'none'}")
    _print_entries(ledger.at(settings, pipeline, when), as_json=as_json)


@app.command("verify", epilog="Example: airloop ledger verify PIPELINE --head 3f2a9c0d41b7")
def ledger_verify(
    pipeline: str,
    head: Annotated[str, typer.Option(help="A hash that a log line named: is its entry still in the ledger?")] = "",
) -> None:
    """Recompute the hash chain and compare it with stage records and MLflow; exit code 1 names what does not fit.

    Found are changed, removed and inserted entries, an end that was cut off, and a chain that was rewritten.
    """
    from airloop.stores import ledger, ledger_witness

    settings = checked(pipeline)
    problems = ledger_witness.problems(settings, pipeline)
    if head and ledger.known_hash(settings, pipeline, head) is None:
        problems.append(f"no entry has the hash {head}: it was cut off, or the chain was rewritten since then")
    for problem in problems:
        write_line(problem)
    if problems:
        out = f"restore the state database from a backup, or: airloop ledger acknowledge {pipeline} --why '...'"
        write_line(out)
        raise typer.Exit(1)
    acknowledged = len(ledger.acknowledged(settings, pipeline))
    known = f" ({acknowledged} problems acknowledged, see `airloop ledger show`)" if acknowledged else ""
    console.print(f"{len(ledger.entries(settings, pipeline))} entries, the chain holds{known}", soft_wrap=True)


@app.command("acknowledge", epilog="Example: airloop ledger acknowledge PIPELINE --why 'restored the backup of 1 May'")
def ledger_acknowledge(
    pipeline: str, why: Annotated[str, typer.Option(help="Why what is there is to go on; kept in the ledger.")]
) -> None:
    """Go on with a ledger that does not verify: its problems are put on record, and only new ones count."""
    from airloop.stores import ledger, ledger_witness

    settings = checked(pipeline)
    problems = ledger_witness.problems(settings, pipeline)
    entry = ledger.acknowledge(settings, pipeline, problems=problems, why=why, who=login_name())
    console.print(f"{len(problems)} problems acknowledged by entry {entry.sequence}")


@app.command("reconcile", epilog="Example: airloop ledger reconcile PIPELINE")
def ledger_reconcile(pipeline: str) -> None:
    """Finish a promotion that was killed half-way, and move MLflow's alias back to the ledger's champion."""
    from airloop.gate.reconcile import reconcile

    repairs = reconcile(pipeline, checked(pipeline))
    for repair in repairs or ["ledger and alias agree, or what differs is on record"]:
        console.print(repair, markup=False)


def _print_entries(entries: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([entry.to_json() for entry in entries]))
        return
    if not entries:
        write_line("nothing was decided yet; the first training writes the first entry")
        return
    rows = [(str(e.sequence), e.kind, f"{e.effective_at:%Y-%m-%d}", _gist(e), e.hash[:12]) for e in entries]
    console.print(table(("#", "kind", "effective", "what", "hash"), rows))


def _gist(entry: Any) -> str:
    payload = entry.payload
    version, before = payload.get("version"), payload.get("previous_version")
    gist = payload.get("why") or payload.get("says") or payload.get("kind") or ""
    if entry.kind == "intended" and "request" in payload:
        gist = f"is to be the champion again: {gist}"
    elif not gist and entry.kind == "intended":
        gist = f"is to be the champion, by decision {payload.get('decision_sequence')}"
    elif not gist and entry.kind == "done":
        gist = f"is the champion{f', in place of v{before}' if before else ''}"
    if entry.kind == "shadowed":
        gist = f"{payload['outcome']} on live traffic: {gist}"
    if entry.kind in ("approved", "rejected", "superseded", "locked", "unlocked"):
        gist = f"{entry.kind} by {payload['who']}: {gist}"
    if entry.kind == "rolled_back":
        gist = f"is the champion again, in place of v{before}: {gist}"
    own = str(gist).removeprefix(f"version {version} ")
    return f"v{version} {own}".strip() if version is not None else str(gist)
