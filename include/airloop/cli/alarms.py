"""Alarms: what was noticed about a window, and a person's answers."""

import json
from typing import Annotated

import typer

from airloop.cli.output import AsJson, console, table
from airloop.cli.person import decides
from airloop.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="What was noticed about a window, and a person's answers.")


@app.command("list", epilog="Example: airloop alarms list PIPELINE")
def alarms_list(
    pipeline: str,
    everything: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open alarms: window, kind, what it is about, and what to do."""
    from airloop.config import load_pipeline
    from airloop.stores import alarms

    settings = load_settings()
    shown = [item for item in alarms.raised(load_pipeline(pipeline, settings), settings) if everything or item.open]
    if as_json:
        typer.echo(json.dumps([item.to_json() for item in shown]))
        return
    if not shown:
        console.print("no open alarms" if not everything else "no alarms")
        return
    rows = [(i.id, str(i.window), i.alarm.kind, i.alarm.subject, i.answer or "open", i.alarm.says) for i in shown]
    console.print(table(("id", "window", "kind", "about", "answer", "what"), rows))


@app.command(
    "answer", epilog="Example: airloop alarms answer PIPELINE 3f2a90c1d4 --as accepted --why 'checked with ops'"
)
def alarms_answer(
    pipeline: str,
    alarm: str,
    word: Annotated[str, typer.Option("--as", help="accepted: train on the rows; excluded: leave them out.")],
    why: Annotated[str, typer.Option(help="The reason, kept in the ledger.")],
    who: Annotated[str, typer.Option(help="Who answers; the login name unless given.")] = "",
) -> None:
    """Answer an alarm; the answer is a line of the ledger, and trainings go on."""
    from airloop.config import load_pipeline
    from airloop.stores import alarms

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    entry = alarms.answer(settings, declared, alarm, word=word, why=why, who=decides(who))
    console.print(f"{alarm}: {word} (ledger entry {entry.sequence})", markup=False)
