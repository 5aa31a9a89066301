"""Where a prediction comes from."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airloop.cli.output import AsJson, read_declared, write_line

if TYPE_CHECKING:
    from airloop.authoring.trace import Trace

app = typer.Typer()


@app.command(epilog="Example: airloop trace PIPELINE j045-001 --at 2020-02-15T00:00:00Z")
def trace(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    key: Annotated[str, typer.Argument(help="The entity's key.")],
    at: Annotated[str, typer.Option(help="The newest prediction decided by this instant; of all unless given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Landed files, rows, feature values, code, model, decision and approver behind a prediction."""
    from airloop.authoring import trace as traces
    from airloop.records import parse_instant

    declared, settings = read_declared(pipeline)
    traced = traces.trace(declared, key, settings, at=parse_instant(at) if at else None)
    if as_json:
        typer.echo(json.dumps(traced.to_json(), sort_keys=True))
        return
    for line in _lines(traced):
        write_line(line)


def _lines(traced: "Trace") -> Iterator[str]:
    content, same_words = traced.to_json(), {True: "the same", False: "ANOTHER value", None: "not computed"}
    prediction = content["prediction"]
    yield (
        f"predicted {prediction['prediction']} by version {prediction['model_version']} ({prediction['mode']}), "
        f"decided at {prediction['decision_time']}; computed again: {same_words[traced.same]}"
    )
    yield f"outcome: {'not known' if traced.label is None else traced.label}; {traced.others} other predictions of it"
    yield "features" + (f": not computed: {traced.not_computed}" if traced.not_computed else "")
    yield from (f"  {name} = {value}" for name, value in content["features"].items())
    yield "rows of views, known by then"
    for item in content["feature_rows"]:
        keys = ", ".join(f"{name} {value}" for name, value in item["keys"].items())
        yield f"  {item['view']} ({keys}): {_values(item['values'])}, known at {item.get('known_at', 'no time')}"
    yield "rows of feeds, known by then, and the files they landed in"
    for item in content["clean_rows"]:
        yield f"  {item['feed']}: {_values(item['row'])}"
        yield from (f"    {file['uri']} SHA-256 {file['sha256']}" for file in item["files"])
    yield from _model(content["model"])
    yield "decisions"
    for item in content["decisions"]:
        who = f" by {item['who']}" if item["who"] else ""
        yield f"  {item['sequence']} {item['outcome']}{who}: {item['why'] or item['kind']} (hash {item['hash'][:12]})"


def _model(model: Mapping[str, Any]) -> Iterator[str]:
    yield f"model: version {model['number']}, {model['candidate']}, files {model['model_digest'] or 'not recorded'}"
    yield f"  trained up to {model['cutoff']} on {model['training_set']}"
    yield f"  by commit {model['code_commit']}, lock {model['lock_sha256']}"


def _values(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items()) or "nothing was known"
