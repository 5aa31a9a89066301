"""The review queue: what people are asked about, their answers, and Label Studio's JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airloop.cli.output import AsJson, checked, console, table
from airloop.cli.person import login_name
from airloop.errors import ConfigError

if TYPE_CHECKING:
    from airloop.config import Pipeline
    from airloop.settings import Settings

_SHOWN = 50

app = typer.Typer(
    no_args_is_help=True,
    help="What people are asked about predictions and quarantined rows. A changed pipeline: airloop pipelines review.",
)


@app.command("list", epilog="Example: airloop review list PIPELINE --settled")
def review_list(
    pipeline: str,
    settled: Annotated[bool, typer.Option("--settled", help="Those that are answered.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is asked, newest first, and how well people agree."""
    from airloop.stores import review_agreement, reviews

    settings = _settings(pipeline)
    items = [one for one in reviews.every(settings, pipeline) if bool(one.answer) == settled]
    by_item = reviews.answers(settings, [one.id for one in reviews.every(settings, pipeline)])
    agreed = review_agreement.agreement(by_item.values())
    if as_json:
        rows = [one.to_json() | {"answers": len(by_item.get(one.id, []))} for one in items]
        typer.echo(json.dumps({"items": rows, "agreement": [one.to_json() for one in agreed]}))
        return
    names = ("id", "asked about", "why", "answers", "came to", "landed")
    cells = [
        (one.id, _pairs(one.content["entity"]), one.why, str(len(by_item.get(one.id, []))), one.answer,
         one.problem or one.landed_as)
        for one in items[:_SHOWN]
    ]  # fmt: skip
    console.print(table(names, cells) if cells else "nothing is asked")
    for one in agreed:
        kappa = "not defined" if one.kappa is None else f"{one.kappa:.2f}"
        says = f"{one.first} and {one.second}: {one.same} of {one.items} the same, Cohen's kappa {kappa}"
        console.print(says, markup=False)


@app.command("ask", epilog="Example: airloop review ask PIPELINE")
def review_ask(pipeline: str) -> None:
    """Fill the queue as `review:` declares, and land what is answered; the scoring DAG does both."""
    from airloop.serving.review import answers, questions

    settings = _settings(pipeline)
    declared = _declared(pipeline, settings)
    added, landed = questions.ask(declared, settings), answers.land(declared, settings)
    console.print(f"{added} new items; {len(landed.files)} files landed, {landed.refused} answers refused")


@app.command("answer", epilog="Example: airloop review answer PIPELINE 0123456789abcdef failed=true")
def review_answer(
    pipeline: str,
    item: str,
    values: Annotated[list[str], typer.Argument(help="FIELD=VALUE, or drop: it cannot be told.")],
    who: Annotated[str, typer.Option(help="Who answers; the login of this machine unless given.")] = "",
) -> None:
    """Answer an item by hand."""
    from airloop.stores import review_form, reviews

    settings, person = _settings(pipeline), who or login_name()
    if values == [reviews.DROP]:
        done = reviews.say(settings, pipeline, item, person, reviews.DROP)
    else:
        wrong = next((value for value in values if "=" not in value), None)
        if wrong is not None:
            raise ConfigError(f"{wrong!r}: write FIELD=VALUE, or drop alone")
        sent = dict(value.split("=", 1) for value in values)
        if len(sent) < len(values):
            raise ConfigError("a field is there twice: write each FIELD=VALUE once")
        answer = review_form.read(reviews.item(settings, pipeline, item), sent)
        done = reviews.say(settings, pipeline, item, person, answer)
    says = f"settled: {done.answer}" if done.answer else "kept; another person is asked too"
    console.print(f"{item}: {says}", markup=False)


@app.command("export", epilog="Example: airloop review export PIPELINE tasks.json")
def review_export(pipeline: str, path: Path) -> None:
    """Write the open items about predictions as tasks for Label Studio."""
    from airloop.serving.review import label_studio
    from airloop.stores.files import publish

    settings = _settings(pipeline)
    tasks = label_studio.export(_declared(pipeline, settings), settings)
    publish(str(path.absolute()), json.dumps(tasks, indent=1).encode(), {})
    console.print(f"{len(tasks)} tasks written to {path}", markup=False)


@app.command("import", epilog="Example: airloop review import PIPELINE annotated.json")
def review_import(pipeline: str, path: Path) -> None:
    """Take the annotations of Label Studio's JSON export; the same file again takes nothing."""
    from airloop.serving.review import label_studio

    settings = _settings(pipeline)
    done = label_studio.take(_declared(pipeline, settings), path, settings)
    console.print(f"{done.taken} answers taken, {done.before} were there or came too late")


def _settings(pipeline: str) -> "Settings":
    return checked(pipeline)


def _declared(pipeline: str, settings: "Settings") -> "Pipeline":
    from airloop.config import load_pipeline

    declared = load_pipeline(pipeline, settings)
    if declared.review is None:
        raise ConfigError(f"{pipeline}/pipeline.yaml: declares no `review:`; docs/guides/reviews.md says what it asks")
    return declared


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
