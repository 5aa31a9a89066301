"""The prediction service."""

from typing import Annotated

import typer

from airloop.cli.output import console

app = typer.Typer()
_LOCAL = ("127.0.0.1", "localhost", "::1")


@app.command(epilog="Example: airloop serve --port 8099 --workers 2")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; each loads the models.")] = 1,
    no_keys: Annotated[
        bool, typer.Option("--no-keys", help="Ask for no API key; only on 127.0.0.1, where nobody else can ask.")
    ] = False,
) -> None:
    """Answer predictions of the champions in force over HTTP, until Ctrl-C; a promotion takes effect by itself."""
    from airloop.errors import ConfigError
    from airloop.serving.api import run

    if no_keys and host not in _LOCAL:
        raise ConfigError(f"--no-keys on {host} would let anyone ask: listen on 127.0.0.1, or use keys")
    run.serve(
        host,
        port,
        workers=workers,
        open_to_all=no_keys,
        on_listening=lambda url: console.print(
            f"predictions at {url}, described at {url}/openapi.json", soft_wrap=True
        ),
    )
