"""API keys of the prediction service."""

import json
from typing import Annotated

import typer

from airloop.cli.output import AsJson, console, table
from airloop.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="API keys of the prediction service.")


@app.command("create", epilog="Example: airloop keys create booking-site --scope predict --scope feedback")
def keys_create(
    name: Annotated[str, typer.Argument(help="Whose key it is; shown in the prediction log.")],
    scope: Annotated[list[str], typer.Option(help="predict, feedback or admin; may be given several times.")],
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once: only its SHA-256 is kept."""
    from airloop.stores import api_keys

    key, record = api_keys.create(load_settings(), name, scope)
    if as_json:
        typer.echo(json.dumps({"key": key, "id": record.id, "name": record.name, "scopes": list(record.scopes)}))
        return
    typer.echo(key)
    console.print(f"(id {record.id}, {', '.join(record.scopes)}; it is not shown again)", markup=False)


@app.command("list", epilog="Example: airloop keys list")
def keys_list(as_json: AsJson = False) -> None:
    """Every key: id, name, scopes, when it was made and revoked. Never the key itself."""
    from airloop.stores import api_keys

    listed = api_keys.listed(load_settings())
    if as_json:
        shown = [{name: value for name, value in key.to_json().items() if name != "sha256"} for key in listed]
        typer.echo(json.dumps(shown))
        return
    rows = [(key.id, key.name, ", ".join(key.scopes), key.created_at, key.revoked_at or "-") for key in listed]
    console.print(table(("id", "name", "scopes", "created", "revoked"), rows) if rows else "no keys")


@app.command("revoke", epilog="Example: airloop keys revoke 1f0a9c3be2d4")
def keys_revoke(key_id: Annotated[str, typer.Argument(help="As `airloop keys list` shows it.")]) -> None:
    """Make a key invalid, for good; a running service notices within two seconds."""
    from airloop.stores import api_keys

    record = api_keys.revoke(load_settings(), key_id)
    console.print(f"{record.id} ({record.name}) is revoked since {record.revoked_at}", markup=False)
