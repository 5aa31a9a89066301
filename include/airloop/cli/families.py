"""What a declaration may name: the variants of a family, each with its help and options."""

from typing import Annotated, Any

import typer

from airloop.cli.output import console, errors, write_line
from airloop.config.engine import ENGINE
from airloop.config.families import Family, is_own
from airloop.config.gate_rules import RULE
from airloop.config.metric import METRIC
from airloop.config.nearest import nearest
from airloop.config.problem import PROBLEM
from airloop.config.source import SOURCE
from airloop.config.stream import BROKER
from airloop.config.triggers import TRIGGER
from airloop.errors import ConfigError
from airloop.settings import load_settings

_FAMILIES = (METRIC, SOURCE, BROKER, RULE, TRIGGER, PROBLEM, ENGINE)
FAMILIES = {family.kind: family for family in _FAMILIES}

app = typer.Typer()


@app.command("list", epilog="Example: airloop list metric")
def list_variants(
    kind: Annotated[str | None, typer.Argument(help="A family; default all of them.")] = None,
) -> None:
    """Print what pipeline.yaml, or a setting, may name of a kind: airloop's by name, then this project's own.

    A project's own are those that its pipelines name as `module:Class`.
    """
    single = kind if kind is None or kind in FAMILIES else kind.removesuffix("s")
    if single is not None and single not in FAMILIES:
        raise ConfigError(f"there is no family {kind!r}{nearest(single, FAMILIES)} (families: {', '.join(FAMILIES)})")
    own = _own_by_family()
    for family in [FAMILIES[single]] if single else FAMILIES.values():
        console.print(f"{family.kind}  (your own: module:Class of a subclass of {family.base})", markup=False)
        for name in family.names():
            _write_variant(family, name)
        for name, users in own.get(family, {}).items():
            _write_variant(family, name, f"  (of {', '.join(users)})")


def _write_variant(family: Family, name: str, users: str = "") -> None:
    try:
        help_line, options = family.first_line(name), _options(family.load(name))
    except ConfigError as error:
        help_line, options = str(error), []
    write_line(f"  {name:<12} {help_line}{users}")
    for line in options:
        write_line(f"  {'':<12}   {line}")


def _own_by_family() -> dict[Family, dict[str, list[str]]]:
    """The project's own variants, each with the pipelines that name it; a declaration that cannot be read has none.

    Outside of a project there are none: what airloop ships can be listed anywhere.
    """
    from airloop.authoring.own_variants import own_variants
    from airloop.config import load_pipeline, pipeline_names

    own: dict[Family, dict[str, list[str]]] = {}
    try:
        settings = load_settings()
    except ConfigError:
        return own
    for pipeline_name in pipeline_names(settings):
        try:
            named = own_variants(load_pipeline(pipeline_name, settings))
        except ConfigError as error:
            errors.print(f"{pipeline_name}: its own are not listed: {error}", markup=False, soft_wrap=True)
            continue
        for family, names in named.items():
            for name in names:
                own.setdefault(family, {}).setdefault(name, []).append(pipeline_name)
    if is_own(settings.engine):
        own[ENGINE] = {settings.engine: ["AIRLOOP_ENGINE"]}
    return own


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
