"""References of versions that are gone: monitoring compares with those of versions that can be loaded."""

import re

import fsspec

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.mlflow import registry

_NAME = re.compile(r"v(\d+)_[0-9a-f]+\.parquet")
"""As airloop.watch.kept_reference names them; another file is somebody else's."""


def remove(pipeline: str, settings: Settings, *, dry_run: bool) -> tuple[int, int]:
    """Remove those of versions that are neither registered nor in force: how many files, and their bytes.

    One that is registered again has its reference made anew of its snapshot.

    Raises:
        UpstreamUnavailable: The folder or MLflow does not answer, or a file cannot be removed.
    """
    root = f"{settings.lake_uri}/{pipeline}/references"
    try:
        system, path = fsspec.core.url_to_fs(root, **settings.storage_options)
        files = system.find(path, detail=True) if system.exists(path) else {}
    except Exception as error:  # stores have errors of their own
        raise UpstreamUnavailable(f"{root} cannot be listed: {error}") from error
    numbers = {name: int(named[1]) for name in files if (named := _NAME.fullmatch(name.rsplit("/", 1)[-1]))}
    gone = _gone(pipeline, frozenset(numbers.values()), settings)
    old = [name for name, number in numbers.items() if number in gone]
    try:
        if old and not dry_run:
            system.rm(old)
    except Exception as error:
        raise UpstreamUnavailable(f"references at {root} cannot be removed: {error}") from error
    return len(old), sum(int(files[name]["size"]) for name in old)


def _gone(pipeline: str, versions: frozenset[int], settings: Settings) -> frozenset[int]:
    in_force = {ledger.history(settings, pipeline).champion()} if versions else set()
    return frozenset(
        version for version in versions - in_force if not registry.is_registered(settings, pipeline, version)
    )
