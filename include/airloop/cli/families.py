"""What a declaration may name: the variants of a family, each with its help and options."""

from typing import Annotated, Any

import typer

from airloop.cli.output import console, write_line
from airloop.config.engine import ENGINE
from airloop.config.gate_rules import RULE
from airloop.config.metric import METRIC
from airloop.config.nearest import nearest
from airloop.config.problem import PROBLEM
from airloop.config.source import SOURCE
from airloop.config.stream import BROKER
from airloop.config.triggers import TRIGGER
from airloop.errors import ConfigError

_FAMILIES = (METRIC, SOURCE, BROKER, RULE, TRIGGER, PROBLEM, ENGINE)
FAMILIES = {family.kind: family for family in _FAMILIES}

app = typer.Typer()


@app.command("list", epilog="Example: airloop list metric")
def list_variants(
    kind: Annotated[str | None, typer.Argument(help="A family; default all of them.")] = None,
) -> None:
    """Print what pipeline.yaml, or a setting, may name of a kind: airloop's own by name; yours are `module:Class`."""
    single = kind if kind is None or kind in FAMILIES else kind.removesuffix("s")
    if single is not None and single not in FAMILIES:
        raise ConfigError(f"there is no family {kind!r}{nearest(single, FAMILIES)} (families: {', '.join(FAMILIES)})")
    for family in [FAMILIES[single]] if single else FAMILIES.values():
        console.print(f"{family.kind}  (your own: module:Class of a subclass of {family.base})", markup=False)
        for name in family.names():
            write_line(f"  {name:<12} {family.first_line(name)}")
            for line in _options(family.load(name)):
                write_line(f"  {'':<12}   {line}")


def _options(variant: Any) -> list[str]:
    # A rule or a trigger is its own schema: its keys stand beside `kind`.
    schema = getattr(variant, "Options", variant)
    if not hasattr(schema, "model_fields"):
        return []
    described = schema.model_json_schema().get("properties", {})
    defaults = {
        name: "" if field.is_required() else f" (default {field.default!r})"
        for name, field in schema.model_fields.items()
    }
    return [f"{name}: {described[name].get('description', '')}{default}" for name, default in defaults.items()]
