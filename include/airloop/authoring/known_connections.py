"""Whether the connection of an SQL feed exists here, as far as this installation can tell."""

from collections.abc import Callable, Iterable

from airloop.config import Pipeline
from airloop.settings import Settings

LookUp = Callable[[Settings], Iterable[str]]
Url = Callable[[str], str | None]
_LOOK_UPS: list[LookUp] = []
_URLS: list[Url] = []


def also_ask(look_up: LookUp) -> None:
    """Let a layer that knows more (the platform knows its Airflow) name the ids of connections that exist."""
    if look_up not in _LOOK_UPS:
        _LOOK_UPS.append(look_up)


def also_read(url: Url) -> None:
    """Let a layer that can read Airflow's connections give the URL of one; it holds a password and is shown nowhere."""
    if url not in _URLS:
        _URLS.append(url)


def with_connection(name: str, settings: Settings) -> Settings:
    """Settings that know a connection by hand: AIRLOOP_CONNECTIONS first, then what other layers read."""
    if name in settings.connections:
        return settings
    known_url = next(filter(None, (url(name) for url in _URLS)), None)
    return (
        settings.model_copy(update={"connections": {**settings.connections, name: known_url}})
        if known_url
        else settings
    )


def unknown_connections(pipeline: Pipeline, settings: Settings) -> list[str]:
    """A look for each feed whose connection nothing here knows: no error, another machine's Airflow may have it."""
    sources = {name: feed.source for name, feed in pipeline.feeds.items() if feed.source}
    by_feed = {name: source.connection for name, source in sources.items() if source.connection}
    if not by_feed:
        return []
    known = {*settings.connections, *(item for look_up in _LOOK_UPS for item in look_up(settings))}
    return [
        f"pipeline.yaml: look: feeds.{name}.source.connection: no connection {connection!r} is known here (known: "
        f"{', '.join(sorted(known)) or 'none'}); {_who_needs(pipeline, name, connection)}"
        for name, connection in by_feed.items()
        if connection not in known
    ]


def _who_needs(pipeline: Pipeline, feed: str, connection: str) -> str:
    if pipeline.feeds[feed].stream:
        return (
            f'`airloop streams run` and `airloop up` need it in AIRLOOP_CONNECTIONS={{"{connection}": "redis://..."}}'
        )
    variable = f"AIRFLOW_CONN_{connection.upper()}"
    return (
        f"stage extract needs it: airflow connections add {connection} --conn-uri ..., {variable} in every worker, or "
        "AIRLOOP_CONNECTIONS by hand"
    )
