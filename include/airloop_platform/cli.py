"""The `airloop` command: what the library can do, and the platform of this machine."""

from airloop.cli import app, main
from airloop_platform import commands

app.add_typer(commands.app)

__all__ = ["app", "main"]
