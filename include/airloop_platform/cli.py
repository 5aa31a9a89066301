"""The `airloop` command: what the library can do, and the platform of this machine."""

from airloop.authoring.known_connections import also_ask, also_read
from airloop.cli import app, main
from airloop_platform import commands
from airloop_platform.connection_ids import connection_ids, connection_url
from airloop_platform.project import command

app.add_typer(commands.app)
app.add_typer(command.app)
also_ask(connection_ids)
also_read(connection_url)

__all__ = ["app", "main"]
