"""The command line called in this process, as a person would type it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from airloop.settings import Settings
from airloop_platform import cli


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


Airloop = Callable[..., Outcome]


def in_checkout(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Airloop:
    """`airloop ARGUMENTS` in the checkout of these settings, told by the environment where it is."""
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(settings.home))

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        printed = capsys.readouterr()
        return Outcome(left.value.code, printed.out, printed.err)

    return call
