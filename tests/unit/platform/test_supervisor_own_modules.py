"""airloop_own_modules: what a fork has imported, before and after an edit."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[3] / "include" / "airloop_platform" / "airflow_config"
# Each process says what it sees, then forks the next: the third is forked by a task.
FORKS = """
import os, sys
import airloop.kept, airloop_own_modules
from pathlib import Path

airloop_own_modules.forget_when_edited(generations=2)
edited, path = sys.argv[1], Path(airloop.kept.__file__)
for process in range(3):
    if str(process) == edited:
        path.unlink() if sys.argv[2] == "gone" else path.write_text("said = 'edited'")
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os._exit(0)
    known = "airloop.kept" in sys.modules
    try:
        import airloop.kept
        print(known, airloop.kept.said, flush=True)
    except ImportError:
        print(known, "gone", flush=True)
"""


@pytest.mark.parametrize(
    ("edited", "how", "says"),
    [
        ("never", "", ["True as it was"] * 3),
        ("0", "", ["False edited", "False edited", "True edited"]),
        ("1", "", ["True as it was", "False edited", "True edited"]),
        ("2", "", ["True as it was"] * 3),
        ("1", "gone", ["True as it was", "False gone", "False gone"]),
    ],
    ids=["as imported", "before a worker", "before a task", "under a task", "removed"],
)
def test_a_task_has_what_was_imported_before_it_unless_that_was_edited(
    tmp_path: Path, edited: str, how: str, says: list[str]
) -> None:
    (tmp_path / "airloop").mkdir()
    (tmp_path / "airloop" / "__init__.py").touch()
    (tmp_path / "airloop" / "kept.py").write_text("said = 'as it was'")
    paths = {"PYTHONPATH": f"{tmp_path}:{CONFIG}"}
    done = subprocess.run(
        [sys.executable, "-c", FORKS, edited, how], env=paths, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == says
