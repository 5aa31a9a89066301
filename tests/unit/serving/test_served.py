"""A version is loaded from the form that was kept with it where that is what was judged, else from the model itself."""

import io
import json
import os
import subprocess
import sys

import pytest
from tests.support import served_toy, toy
from tests.support.served_toy import CUTOFF, EXPLICIT

from airloop.errors import GuardRefused
from airloop.features import online_views
from airloop.models import model_version, serving_form
from airloop.serving import version_files
from airloop.serving.online_features import FeastReader, open_online
from airloop.serving.served import load_served
from airloop.stores import ledger, model_copies
from airloop.stores.mlflow import model_files

HEAVY = ("pandas", "sklearn", "mlflow", "feast", "pyarrow", "scipy", "polars", "deltalake", "duckdb")
ALONE = f"""
import json, resource, sys
from airloop.config import load_pipeline
from airloop.serving.answering import Asked, Caller, answer
from airloop.serving.api import run
from airloop.serving.champions import Champions
from airloop.serving.prediction_log import PredictionLog
from airloop.records import parse_instant
from airloop.settings import Settings
settings = Settings.model_validate_json(sys.stdin.read())
champions = Champions(settings)
champions.look()
served = champions.slots["toy"].served
ask, as_of = json.loads(sys.argv[1]), parse_instant(sys.argv[2])
asked = [Asked({{}}, ask, as_of), Asked(json.loads(sys.argv[3]), {{"job_size": 3.0}}, as_of)]
records = answer(served, asked, PredictionLog(settings), Caller("", "", 0.0))
answers = [record.prediction for record in records]
print(json.dumps([served.form.name, answers, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def in_force(settings):
    return ledger.history(settings, "toy").in_force()


def loaded(settings):
    return load_served(toy.toy_pipeline(settings), in_force(settings), settings)


def without_form(monkeypatch):
    monkeypatch.setattr(serving_form, "read", lambda _files: None)


def test_a_service_of_its_own_process_answers_without_the_libraries_that_made_the_model(served):
    version_files.files("toy", 1, served)
    entity = {"job": "new", "machine": "m1"}
    as_of = served_toy.NOON.isoformat()
    command = [sys.executable, "-c", ALONE, json.dumps(EXPLICIT), as_of, json.dumps(entity)]
    done = subprocess.run(
        command, input=served.model_dump_json(), capture_output=True, text=True, check=True, env=os.environ
    )
    name, (explicit, looked_up), heavy = json.loads(done.stdout.splitlines()[-1])
    assert heavy == []
    assert name in ("trees", "linear")
    model = model_version.load_version(toy.toy_pipeline(served), 1, served)
    here = loaded(served)
    frame = here.inputs.of_model.table([EXPLICIT]).to_pandas()
    assert abs(explicit - model.predict(toy.toy_pipeline(served), frame)[0]) <= 1e-12
    assert 0 < looked_up < 1


def test_the_form_beside_a_version_and_the_model_itself_answer_the_same(served, monkeypatch):
    by_form = loaded(served)
    without_form(monkeypatch)
    by_model = loaded(served)
    assert by_form.form.fast
    assert by_form.online.views == by_model.online.views
    assert (by_form.inputs, by_form.digest, by_form.rules) == (by_model.inputs, by_model.digest, by_model.rules)
    row = by_form.inputs.row(EXPLICIT)
    assert abs(by_form.predict([row]) - by_model.predict([row])).max() <= 1e-12


def test_a_form_of_other_definitions_is_not_used(served, tmp_path, monkeypatch):
    asked = []
    real = model_version.load_champion
    monkeypatch.setattr(model_version, "load_champion", lambda *given: asked.append(given) or real(*given))
    assert loaded(served).version == 1
    assert asked == []
    commented = toy.edited(served, tmp_path / "commented", "toy.py", "import timedelta", "import timedelta  # so")
    assert loaded(commented).version == 1  # the same features: the model's own guard says so
    assert len(asked) == 1
    changed = toy.edited(served, tmp_path / "changed", "toy.py", "timedelta(hours=3)", "timedelta(hours=4)")
    with pytest.raises(GuardRefused, match="is not what version 1 was trained on"):
        loaded(changed)


def test_a_copy_that_is_not_what_was_judged_is_fetched_anew(served):
    real = version_files.files("toy", 1, served)
    assert model_copies.kept(served, "toy", 1) == real
    path = served.home / "model_copies/toy/1" / model_files.FORM
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert version_files.files("toy", 1, served) == real
    assert model_copies.kept(served, "toy", 1) == real


def test_files_that_were_changed_where_they_are_kept_are_refused_whatever_their_form_says(served, monkeypatch):
    real = model_version.version_files

    def changed(*given):
        files = real(*given)
        return {**files, model_files.FORM: files[model_files.FORM] + b"x"}

    monkeypatch.setattr(model_version, "version_files", changed)
    with pytest.raises(GuardRefused, match="the files of toy version 1 were changed"):
        loaded(served)


def test_another_process_fetches_a_copy_or_says_why_not(served, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(served.model_dump_json()))
    assert version_files.main(["toy", "1"]) == 0
    digest = model_files.digest(model_copies.kept(served, "toy", 1))
    assert digest == served_toy.registered_digest(served, 1)
    monkeypatch.setattr(sys, "stdin", io.StringIO(served.model_dump_json()))
    assert version_files.main(["toy", "99"]) == 3
    assert "99" in capsys.readouterr().err


def test_only_the_newest_copies_are_kept(served):
    for version in range(1, 8):
        model_copies.keep(served, "toy", version, {"MLmodel": b"x", "in/side": b"y"})
    assert sorted(path.name for path in (served.home / "model_copies/toy").iterdir()) == ["4", "5", "6", "7"]
    assert model_copies.kept(served, "toy", 7) == {"MLmodel": b"x", "in/side": b"y"}
    assert model_copies.kept(served, "toy", 3) == {}


def test_the_online_file_is_read_as_feast_reads_it(served):
    pipeline = toy.toy_pipeline(served)
    views = online_views.online_views(pipeline, served)
    ours, feast = open_online(pipeline, views, served), FeastReader(pipeline, views, served)
    assert ours.local
    held = 0
    for view in views:
        names = ("m1", "m2", "nobody", "", *(f"j{CUTOFF:03d}-{number:03d}" for number in range(20)))
        keys = [tuple(name for _ in view.keys) for name in names]
        found = ours.reader.read(view, keys)
        assert found == feast.read(view, keys)
        held += sum(known.known_at is not None for known in found)
    assert held > 4
