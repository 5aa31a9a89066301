"""`airloop pack`: one archive that proves itself, the same for the same state, whole or not there."""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
import sqlalchemy as sa
from referencing import Registry, Resource
from tests.support import toy
from tests.support.toy_turned import CUTOFF
from tests.support.waiting import bound

from airloop.authoring.audit import archive, pack, sbom
from airloop.errors import ConfigError, GuardRefused
from airloop.stores import state, tables

# MLflow 3.17 on SQLAlchemy 2.1; it goes when MLflow stops using `noload`.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

# The schema of CycloneDX 1.6 and those it refers to (github.com/CycloneDX/specification, Apache-2.0).
SCHEMAS = Path(__file__).parents[2] / "support" / "cyclonedx-1.6.json.gz"


@pytest.fixture(scope="module")
def _packed_once(turned, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed")
    shutil.copy(turned.home / "state.db", folder / "state.db")
    settings = turned.model_copy(update={"state_url": f"sqlite:///{folder}/state.db"})
    toy.run("describe", settings, CUTOFF)
    made = pack.write(toy.toy_pipeline(settings), 2, settings, folder / "audit.zip")
    assert made["sha256"] == hashlib.sha256((folder / "audit.zip").read_bytes()).hexdigest()
    assert made["problems"] == []
    return folder / "audit.zip"


@pytest.fixture
def packed(_packed_once, tmp_path):
    """The unpacked archive of version 2."""
    with zipfile.ZipFile(_packed_once) as opened:
        opened.extractall(tmp_path / "out")
    return tmp_path / "out"


def read(packed, name):
    return json.loads((packed / name).read_text(encoding="utf-8"))


def check_ledger(packed):
    command = [sys.executable, "-I", str(packed / "ledger" / "check_ledger.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=bound(60))


def test_it_holds_what_an_auditor_asks_for(packed):
    names = {str(path.relative_to(packed)) for path in packed.rglob("*") if path.is_file()}
    assert names >= {
        *("README.txt", "SHA256SUMS", "card/card.html", "card/card.json", "lineage.json"),
        *("ledger/ledger.jsonl", "ledger/head.json", "ledger/check_ledger.py", "ledger/verification.json"),
        *("environment/environment.json", "environment/sbom.cdx.json"),
        *("records/train.json", "records/evaluate.json", "records/decide.json", "records/ingest.json"),
    }
    assert any(name.startswith("reports/toy/validation/") for name in names)
    for line in (packed / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((packed / name).read_bytes()).hexdigest() == digest
    lineage = read(packed, "lineage.json")
    assert len(lineage["landed_files"]) == 3 * 60 + 1
    assert lineage["model"]["number"] == 2
    assert lineage["training_set"]["digest"] == read(packed, "card/card.json")["data"]["digest"]


def test_whoever_does_not_trust_airloop_recomputes_the_chain(packed):
    found = check_ledger(packed)
    assert (found.returncode, found.stdout.startswith("7 entries, the chain holds")) == (0, True)


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda lines: [lines[0].replace('\\"version\\":1', '\\"version\\":7', 1), *lines[1:]], "entry 1 was changed"),
        (lambda lines: [lines[0], *lines[2:]], "entry 3 does not follow entry 1"),
        (lambda lines: lines[:-1], "the chain ends at entry 6, and entry 7 was appended"),
    ],
)
def test_a_changed_removed_or_cut_entry_is_found_with_nothing_but_python(packed, forge, says):
    path = packed / "ledger" / "ledger.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    forged = forge(lines)
    assert forged != lines
    path.write_text("".join(forged))
    found = check_ledger(packed)
    assert (found.returncode, found.stderr.strip()) == (1, says)


def test_the_bill_of_materials_is_valid_cyclonedx(packed):
    schemas = json.loads(gzip.decompress(SCHEMAS.read_bytes()))
    resources = [(schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()]
    resources += [(f"http://cyclonedx.org/schema/{name}", Resource.from_contents(s)) for name, s in schemas.items()]
    validator = jsonschema.Draft7Validator(
        schemas["bom-1.6.SNAPSHOT.schema.json"], registry=Registry().with_resources(resources)
    )
    bill = read(packed, "environment/sbom.cdx.json")
    assert [error.message for error in validator.iter_errors(bill)] == []
    assert list(validator.iter_errors(bill | {"specVersion": 7}))
    by_name = {item["name"]: item for item in bill["components"]}
    assert by_name["mlflow"]["purl"] == f"pkg:pypi/mlflow@{by_name['mlflow']['version']}"
    assert len({item["bom-ref"] for item in bill["components"]}) == len(bill["components"])
    assert (
        bill["metadata"]["component"]["hashes"][0]["content"]
        == read(packed, "card/card.json")["version"]["model_digest"]
    )
    assert bill == sbom.bill(
        {"name": "toy", "version": 2}
        | {
            "digest": bill["metadata"]["component"]["hashes"][0]["content"],
            "purpose": bill["metadata"]["component"]["description"],
        }
    )


def test_the_same_state_gives_the_same_bytes(turned_ledger, tmp_path):
    pipeline, digests = toy.toy_pipeline(turned_ledger), set()
    for name in ("one.zip", "two.zip"):
        digests.add(pack.write(pipeline, 2, turned_ledger, tmp_path / name)["sha256"])
    assert len(digests) == 1


def test_a_ledger_that_does_not_verify_is_packed_with_what_is_wrong(turned_ledger, tmp_path):
    table = tables.ledger_entries
    with state.transaction(turned_ledger) as connection:
        connection.execute(sa.update(table).where(table.c.sequence == 4).values(payload="{}"))
    made = pack.write(toy.toy_pipeline(turned_ledger), 2, turned_ledger, tmp_path / "a.zip")
    assert "entry 4 (intended) was changed" in made["problems"][0]
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert b"IT DOES NOT VERIFY" in opened.read("README.txt")


def test_killed_half_way_it_leaves_what_was_there(tmp_path, monkeypatch):
    path, files = tmp_path / "a.zip", {"a": b"1", "b": b"2", "c": b"3"}
    whole, written = archive.write(path, {"a": b"0"}), []
    honest = zipfile.ZipFile.writestr

    def killed(self, entry, content):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(entry)
        return honest(self, entry, content)

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "writestr", killed)
        with pytest.raises(KeyboardInterrupt):
            archive.write(path, files)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == whole
    assert list(tmp_path.iterdir()) == [path]
    assert archive.write(path, files) != whole


@pytest.mark.parametrize("name", ["a.tar", "nowhere/a.zip", "a"])
def test_a_place_that_is_none_is_refused_before_anything_is_read(toy_settings, tmp_path, name):
    with pytest.raises(ConfigError, match=r"name a .zip file in a folder that is there"):
        pack.write(toy.toy_pipeline(toy_settings), 1, toy_settings, tmp_path / name)


def test_a_version_that_is_none_is_refused(turned_ledger, tmp_path):
    with pytest.raises(GuardRefused, match="toy has no version 9"):
        pack.write(toy.toy_pipeline(turned_ledger), 9, turned_ledger, tmp_path / "a.zip")
    assert list(tmp_path.glob("*.zip")) == []
