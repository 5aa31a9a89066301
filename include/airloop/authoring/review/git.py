"""The checkout's git history: the commit a change is compared with, the files that differ, and files as they were."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from airloop.errors import ConfigError

_DEFAULTS = ("origin/main", "main", "HEAD")
_SECONDS = 60


@dataclass(frozen=True)
class Base:
    """What a change is compared with: the last commit it shares with `ref`."""

    ref: str
    commit: str

    def __str__(self) -> str:
        """`origin/main at 1a2b3c4d5e6f`."""
        return f"{self.ref} at {self.commit[:12]}"


def find_base(project_dir: Path, ref: str | None = None) -> Base:
    """The commit where the checkout left `ref`; default is the first of origin/main, main and HEAD that exists.

    What others added to `ref` since then is not part of the change. Uncommitted edits are.

    Raises:
        ConfigError: No git repository, no git, or no such commit; says what git says.
    """
    problems = []
    for name in (ref,) if ref is not None else _DEFAULTS:
        try:
            commit = _git(project_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except ConfigError as error:
            problems.append(str(error))
            continue
        return Base(name, _shared(project_dir, commit.strip()))
    problem = problems[0] if ref is None else f"--base {ref}: git knows no such commit here ({problems[0]})"
    raise ConfigError(problem)


def changed_files(project_dir: Path, base: Base) -> tuple[str, ...]:
    """Paths below `project_dir` that differ from the base: committed, edited, deleted and new ones; sorted.

    A renamed file counts under both names; files that git ignores do not count.
    """
    differing = _git(project_dir, "diff", "--name-only", "--no-renames", "--relative", "-z", base.commit, "--")
    new = _git(project_dir, "ls-files", "--others", "--exclude-standard", "-z")
    return tuple(sorted({path for path in (differing + new).split("\0") if path}))


def read_files(project_dir: Path, base: Base, paths: tuple[str, ...]) -> dict[str, bytes]:
    """The base's files at or below `paths`, by path; what was not there is left out."""
    listed = _git(project_dir, "ls-tree", "-r", "--name-only", "-z", base.commit, "--", *paths)
    return {path: _run(project_dir, "show", f"{base.commit}:./{path}") for path in listed.split("\0") if path}


def _shared(project_dir: Path, commit: str) -> str:
    try:
        return _git(project_dir, "merge-base", commit, "HEAD").strip()
    except ConfigError:  # histories without a common commit, or cut off before it (a shallow clone)
        return commit


def _git(project_dir: Path, *arguments: str) -> str:
    return _run(project_dir, *arguments).decode("utf-8", errors="surrogateescape")


def _run(project_dir: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(project_dir), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS).stdout
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError(f"{project_dir}: git {arguments[0]}: {lines[0] if lines else 'no such commit'}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{project_dir}: git cannot be asked: {error}") from error
