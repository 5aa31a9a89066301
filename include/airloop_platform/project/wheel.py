"""The wheel that a new project installs airloop from, where no package index holds it."""

import json
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlparse

from airloop.errors import ConfigError
from airloop_platform.project.shipped import CLONE, version


def find_wheel(path: Path | None) -> Path | None:
    """The wheel of the running version: the one asked for, the one it was installed from, or what `make dist` made.

    Args:
        path: A wheel, or a folder of wheels.

    Returns:
        None where airloop came from a package index, from which the project will get it too.

    Raises:
        ConfigError: Nothing by that name, another version's, or a clone without a wheel.
    """
    if path is not None:
        return _asked_for(path)
    origin = json.loads(metadata.distribution("airloop").read_text("direct_url.json") or "{}")
    if not origin:
        return None
    place = Path(unquote(urlparse(origin["url"]).path))
    if place.is_file():
        return place
    wheel = _newest(place / "dist" if place.is_dir() else place.parent)
    if wheel is None:
        way_out = f"run `make dist` in {CLONE}, or " if place.is_dir() else ""
        raise ConfigError(
            f"there is no wheel of airloop {version()} at {place}, from which it was installed, for the project to "
            f"depend on: {way_out}name one by --wheel"
        )
    return wheel


def _asked_for(path: Path) -> Path:
    wheel = _newest(path) if path.is_dir() else path
    if wheel is None or not wheel.is_file():
        raise ConfigError(f"--wheel {path}: there is no wheel of airloop {version()}; `make dist` makes one in dist/")
    if not wheel.name.startswith(f"airloop-{version()}-") or wheel.suffix != ".whl":
        raise ConfigError(
            f"--wheel {path}: is not a wheel of the airloop that writes this project (airloop-{version()}-*.whl)"
        )
    return wheel


def _newest(folder: Path) -> Path | None:
    wheels = sorted(folder.glob(f"airloop-{version()}-*.whl"), key=lambda path: path.stat().st_mtime)
    return wheels[-1] if wheels else None
