"""The code a stage's result depends on: its own package and the floors below; a new page colour trains no model."""

import functools
import hashlib
from pathlib import Path

from airloop.errors import ConfigError

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "files"),
    ("project",),
    ("feast_stores", "metrics", "records", "settings"),
    ("config",),
    ("deployment",),
    ("problems", "stores"),
    ("reports", "run"),
    ("data", "features"),
    ("models", "pages", "sources"),
    ("gate", "serving", "watch"),
    ("authoring", "upkeep"),
    ("cli",),
)
"""Packages and loose modules of the library from the ground up, as the `layers` contract in pyproject.toml has them."""

_NO_STAGE_SHOWS = "pages"
"""Below some stages, and read by none of them: another contract keeps that."""


def floors_of(package: str) -> frozenset[str]:
    """A package of stages and everything below it; what stands beside it on its own floor is not part of it.

    Raises:
        ConfigError: The library has no such package.
    """
    for number, floor in enumerate(FLOORS):
        if package in floor:
            below = {name for lower in FLOORS[:number] for name in lower}
            return frozenset({package, *below} - {_NO_STAGE_SHOWS})
    raise ConfigError(f"airloop has no package {package!r} (packages: {', '.join(name for f in FLOORS for name in f)})")


@functools.cache
def code_digest(package: str) -> str:
    """SHA-256 of the source of `floors_of(package)`: other code is another input."""
    return digest_of(Path(__file__).parents[1], package)


def digest_of(root: Path, package: str) -> str:
    """SHA-256 of the names and bytes of the Python files that `floors_of(package)` has below `root`."""
    names = floors_of(package)
    files = sorted(path for path in root.rglob("*.py") if path.relative_to(root).parts[0].removesuffix(".py") in names)
    sources = [path.relative_to(root).as_posix().encode() + path.read_bytes() for path in files]
    return hashlib.sha256(b"\0".join(sources)).hexdigest()
