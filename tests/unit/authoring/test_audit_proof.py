"""The program in a pack recomputes any chain with nothing but Python, whatever its texts hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import toy
from tests.support.ledger_entries import put_in_force

from airloop.authoring.audit import proof
from airloop.gate import lock
from airloop.settings import Settings
from airloop.stores import state, tables

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


def checked(settings: Settings, folder: Path) -> subprocess.CompletedProcess[str]:
    for name, content in proof.files(settings, "toy").items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    program = [sys.executable, "-I", str(folder / "ledger" / "check_ledger.py")]
    return subprocess.run(program, capture_output=True, text=True, check=False)


@pytest.fixture
def decided(toy_settings: Settings) -> Settings:
    put_in_force(toy_settings, "toy", 1, toy.days(0, 1).start)
    return toy_settings


@pytest.mark.parametrize(
    "why", ["plain", "line\u2028separator", "paragraph\u2029", 'quotes " and \\ backslash', "東京 é"]
)
def test_a_sound_chain_holds_whatever_its_texts_are(decided: Settings, tmp_path: Path, why: str) -> None:
    lock.lock(decided, "toy", why=why, who="anna")
    done = checked(decided, tmp_path)
    assert (done.returncode, "4 entries, the chain holds" in done.stdout) == (0, True)


@pytest.mark.parametrize("payload", ['{"version":9}', b"\x00\xff"])
def test_a_changed_entry_is_packed_and_found(decided: Settings, tmp_path: Path, payload: object) -> None:
    with state.transaction(decided) as connection:
        connection.execute(
            tables.ledger_entries.update().values(payload=payload).where(tables.ledger_entries.c.sequence == 2)
        )
    done = checked(decided, tmp_path)
    assert (done.returncode, done.stderr.strip()) == (1, "entry 2 was changed")
    assert json.loads((tmp_path / "ledger" / "verification.json").read_text())["verifies"] is False
