"""Every command in a home that cannot be written: one line with the way out, an exit code, no traceback."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from tests.support import toy
from tests.support.command import Airloop, in_checkout

from airloop.settings import Settings, load_settings
from airloop_platform import supervisor
from airloop_platform.supervisor.run_folder import run_folder, try_lock

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
WINDOW = ("--start", "2020-01-01T00:00:00Z", "--end", "2020-01-03T00:00:00Z")
CUTOFF = ("--cutoff", "2020-02-10T00:00:00Z")
# What has to write, or to read what is not there.
COMMANDS = (
    ("up",), ("up", "--detach"),
    *(("run", stage, "toy", *WINDOW) for stage in ("ingest", "validate_raw", "materialize", "data", "training")),
    ("land", "toy", "heat", "{table}"), ("snapshot", "toy", *CUTOFF),
    ("ledger", "show", "toy"), ("ledger", "at", "toy", "2020-01-03T00:00:00Z"), ("ledger", "verify", "toy"),
    ("quarantine", "list", "toy"),
)  # fmt: skip
# What neither writes nor reads there.
LOOKS = (("schema",), ("pipelines", "check", "toy"))


@contextmanager
def below_a_file(folder: Path) -> Iterator[Path]:
    (folder / "taken").write_text("a file, not a folder")
    yield folder / "taken" / "home"


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        yield folder / "home"
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@contextmanager
def full(folder: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    try:
        fill(folder)
        yield folder / "home"
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


Place = Callable[[Path], AbstractContextManager[Path]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = toy.write_project(tmp_path_factory.mktemp("places") / "project", REPOSITORY)
    (settings.project_dir / "dags").mkdir()
    toy.land(settings, days=range(3))
    return settings


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    made: Place = request.param
    folder = tmp_path / "place"
    folder.mkdir()
    with made(folder) as home:
        yield home


@pytest.fixture
def airloop(
    project: Settings, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Airloop:
    return in_checkout(load_settings(project_dir=project.project_dir, home=place), monkeypatch, capsys)


everywhere = pytest.mark.parametrize(
    "place",
    [below_a_file, pytest.param(read_only, marks=AS_ROOT), pytest.param(full, marks=AS_ROOT)],
    indirect=True,
    ids=lambda made: made.__name__,
)


@everywhere
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_a_command_that_needs_the_home_says_in_one_line_why_not(
    airloop: Airloop, place: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    table = tmp_path / "heat.csv"
    table.write_text("machine,measured_at,celsius\nm1,2020-01-02T00:00:00Z,50\n")
    failed = airloop(*(word.format(table=table) for word in command))
    *progress, last = failed.err.splitlines()
    assert failed.code == 1
    assert last.startswith("error: ")
    assert str(place) in last
    assert not [line for line in progress if "error" in line]
    assert "Traceback" not in failed.err + failed.out


@everywhere
@pytest.mark.parametrize("command", LOOKS, ids=" ".join)
def test_a_command_that_only_looks_goes_on(airloop: Airloop, command: tuple[str, ...]) -> None:
    assert airloop(*command).code == 0


@pytest.mark.parametrize("arguments", [("schema",), ("ledger", "--help")], ids=" ".join)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_output_that_cannot_be_written_is_one_line(arguments: tuple[str, ...]) -> None:
    path = f"import sys; sys.path.insert(0, {str(REPOSITORY / 'include')!r})"
    code = f"{path}; from airloop_platform.cli import main; main()"
    with Path("/dev/full").open("w") as nowhere:
        failed = subprocess.run(
            [sys.executable, "-c", code, *arguments], stdout=nowhere, stderr=subprocess.PIPE, text=True, check=False
        )
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: OSError: [Errno 28] No space left on device")
    assert len(failed.stderr.splitlines()) == 1


@AS_ROOT
def test_a_full_disk_does_not_keep_a_platform_from_being_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    with full(folder) as home:
        (folder / "filler").unlink()
        settings = load_settings(project_dir=tmp_path, home=home)
        lock = run_folder(settings).lock
        fill(folder)
        assert supervisor.down(settings, on_progress=lambda _: None) is False
        with pytest.raises(OSError, match="No space left"), try_lock(lock, {"role": "run"}):
            pass
