"""What persons decide about a champion: let it be promoted, go back to a former one, stop promotions."""

import uuid
from typing import Annotated

import typer

from airloop.cli.output import checked, console, read_declared, write_line
from airloop.cli.person import decides, login_name

app = typer.Typer()

Name = Annotated[str, typer.Argument(help="Name of the pipeline.")]
Why = Annotated[str, typer.Option(help="The reason, kept in the ledger.")]
Who = Annotated[str, typer.Option(help="Who decides; the login name unless given.")]


@app.command(epilog="Example: airloop rollback PIPELINE --why 'version 4 predicts nonsense for the new terminal'")
def rollback(
    pipeline: Name,
    why: Why,
    to: Annotated[int | None, typer.Option(help="A former champion; the one before the champion in force.")] = None,
    since: Annotated[
        str,
        typer.Option("--from", help="Data time it takes effect; the end of the newest scored window unless given."),
    ] = "",
    who: Who = "",
) -> None:
    """Put a former champion in force again, and lock promotions until `airloop unlock`.

    It has to load and to predict first. What was scored until then keeps its predictions.
    """
    from airloop.deployment import Deployment
    from airloop.gate import roll_back
    from airloop.records import parse_instant
    from airloop.records.person_texts import require_reason
    from airloop.run import stage_run

    declared, settings = read_declared(pipeline)
    request = f"command {uuid.uuid4()}"
    reason = require_reason(why, "--why 'version 4 predicts nonsense for the new terminal'")
    at = parse_instant(since) if since else None
    planned = roll_back.plan(declared, settings, request=request, version=to, since=at)
    options = {"version": planned.version, "instead_of": planned.instead_of, "request": request}
    options |= {"why": reason, "who": decides(who)}
    stage_run.run_stage("roll_back", Deployment(declared, settings), planned.window, upstream={}, **options)
    write_line(
        f"version {planned.version} is champion in place of {planned.instead_of} for windows from "
        f"{planned.window.end:%Y-%m-%dT%H:%MZ} on; promotions are locked until `airloop unlock {pipeline} --why '...'`"
    )


@app.command(epilog="Example: airloop lock PIPELINE --why 'the outcomes of May are being checked'")
def lock(pipeline: Name, why: Why, who: Who = "") -> None:
    """Stop promotions; what passes its gate waits as challenger."""
    from airloop.gate import lock as locks

    entry = locks.lock(checked(pipeline), pipeline, why=why, who=decides(who))
    console.print(f"promotions of {pipeline} are locked (ledger entry {entry.sequence})", markup=False)


@app.command(epilog="Example: airloop unlock PIPELINE --why 'the outcomes of May are right'")
def unlock(pipeline: Name, why: Why, who: Who = "") -> None:
    """Let promotions go on after a rollback or a lock."""
    from airloop.gate import lock as locks

    entry = locks.unlock(checked(pipeline), pipeline, why=why, who=decides(who))
    console.print(f"promotions of {pipeline} go on (ledger entry {entry.sequence})", markup=False)


Sequence = Annotated[int, typer.Argument(help="Number of the decision: `airloop ledger show`.")]


@app.command(epilog="Example: airloop approve PIPELINE 12 --why 'checked with the supplier'")
def approve(pipeline: Name, sequence: Sequence, why: Why) -> None:
    """Let the version of a decision be promoted, where `approval` of pipeline.yaml asks for a person: the login name's.

    The run of its promotion that waits in Airflow goes on. Without one: the promotion DAG, or `airloop run promote`.
    """
    _answer(pipeline, sequence, "approved", why)


@app.command(epilog="Example: airloop reject PIPELINE 12 --why 'the new terminal is not in its data'")
def reject(pipeline: Name, sequence: Sequence, why: Why) -> None:
    """Keep the version of a decision from being promoted; the run that waits in Airflow ends."""
    _answer(pipeline, sequence, "rejected", why)


def _answer(pipeline: str, sequence: int, kind: str, why: str) -> None:
    from airloop.gate import approval

    declared, settings = read_declared(pipeline)
    entry = approval.answer(declared, settings, sequence, kind=kind, why=why, who=login_name())
    answer_line = f"decision {sequence} is {entry.kind} by {entry.payload['who']} (ledger entry {entry.sequence})"
    write_line(answer_line)
