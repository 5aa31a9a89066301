"""A version trained again is the same bit for bit, or what differs is said; other code is named, and the way to it."""

import dataclasses
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support import command, toy, toy_turned
from tests.support.run_plainly import run_plainly

from airloop.authoring import reproduce
from airloop.authoring.rebuilt_snapshot import rebuild
from airloop.deployment import Deployment
from airloop.models import model_version, train
from airloop.settings import load_settings
from airloop.stores import lake
from airloop.stores.mlflow import registry
from airloop.upkeep import lake_files
from airloop.upkeep.maintain import maintain
from airloop.upkeep.named_versions import named_versions


@pytest.fixture
def airloop_of_turned(turned, monkeypatch, capsys):
    return command.in_checkout(turned, monkeypatch, capsys)


def test_a_version_trained_again_is_identical(turned, airloop_of_turned, in_new_processes):
    done = airloop_of_turned("reproduce", "toy", "1")
    assert (done.code, done.out.startswith("identical: ")) == (0, True), done
    assert "all metrics of version 1, bit for bit" in done.out


def test_its_training_set_is_made_again_from_the_lake(airloop_of_turned):
    done = airloop_of_turned("reproduce", "toy", "1", "--from-lake")
    assert done.code == 0, done
    assert "identical training set: 1,380 rows from 6 tables at their versions\n" in done.out
    assert "\nidentical: " in done.out


def test_the_lake_is_read_as_it_was_before_corrections_and_what_is_gone_is_said(turned, tmp_path):
    shutil.copytree(turned.home, tmp_path / "home")
    settings = load_settings(project_dir=turned.project_dir, home=tmp_path / "home")
    pipeline = toy.toy_pipeline(settings)
    snapshot = model_version.load_version(pipeline, 1, settings).snapshot
    file = Path(settings.landing_uri) / "toy" / "jobs" / "2020-01-05.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:-1], lines[-1].rsplit(",", 1)[0] + ",999"]) + "\n")
    toy.run_data(settings, toy_turned.CUTOFF)
    maintain(pipeline, settings, dry_run=False)
    assert maintain(pipeline, settings, dry_run=False) == ()
    assert reproduce.reproduce(pipeline, 1, settings).identical
    newest = lake.open_table(lake.table_uri(settings, "toy", "clean", "jobs"), settings).version()
    assert newest > snapshot.table_versions["clean/jobs"]
    named = named_versions(pipeline, settings, now=datetime.now(UTC))
    vacuum(settings, named)
    kept = rebuild(pipeline, snapshot, settings)
    assert (kept.problem, kept.newest, kept.tables) == ("", (), 6)
    beyond = datetime.now(UTC) + timedelta(days=pipeline.retention.reproduction_days + 1)
    assert named_versions(pipeline, settings, now=beyond) == {}
    vacuum(settings, {})
    found = rebuild(pipeline, snapshot, settings)
    assert set(found.newest) == {"clean/jobs", "features/job_static"}
    assert found.problem.startswith("0 rows are gone, 0 are new, of 1,380 others differ: ")
    assert "job_size in 1" in found.problem


def vacuum(settings, named):
    for name in ("clean/jobs", "features/job_static"):
        uri = f"{settings.lake_uri}/toy/{name}"
        lake_files.vacuum(uri, settings, keep_days=0, dry_run=False, named=named.get(uri, ()))


@pytest.mark.parametrize("version", ["0", "99", "2147483648", "99999999999999999999"])
@pytest.mark.parametrize("command_name", ["reproduce", "card", "pack"])
def test_a_number_that_no_version_has_is_said_whatever_its_size(airloop_of_turned, command_name, version):
    done = airloop_of_turned(command_name, "toy", version)
    assert done.code == 1
    assert f"version {version} " in " ".join(done.err.split())
    assert "MLflow at" not in done.err  # an outage, which it is not


@pytest.mark.parametrize("family", ["logistic_regression", "gradient_boosting"])
def test_a_version_of_either_family_is_identical(turned, upstream_of_candidate, family):
    pipeline, snapshot = toy.toy_pipeline(turned), upstream_of_candidate["snapshot"]
    tuned = (toy.run("tune", turned, toy_turned.CUTOFF, candidate=family),)
    frozen = dataclasses.replace(snapshot, reason_key=f"reproduced {family}")
    made = run_plainly(train.train, Deployment(pipeline, turned), toy_turned.CUTOFF, snapshot=frozen, tuned=tuned)
    assert made.candidate == family
    assert reproduce.reproduce(pipeline, made.version, turned).identical


def test_a_version_of_other_parameters_differs_and_says_by_how_much(turned, airloop_of_turned):
    changed = toy_turned.registered(turned, "other parameters")
    tags = registry.version_of(turned, "toy", changed).tags
    worse = {"C": 0.0001} if tags["airloop.candidate"] == "logistic_regression" else {"max_leaf_nodes": 2}
    registry.tag_version(turned, "toy", changed, {"airloop.params": json.dumps(worse)})
    found = reproduce.reproduce(toy.toy_pipeline(turned), changed, turned)
    assert not found.identical
    assert found.differing == found.rows
    assert found.largest > 0.01
    assert "brier" in found.metrics


def test_other_code_is_named_with_the_way_to_it(turned, airloop_of_turned):
    changed = toy_turned.registered(turned, "other code")
    registry.tag_version(turned, "toy", changed, {"airloop.code_commit": "c" * 40})
    done = airloop_of_turned("reproduce", "toy", str(changed))
    assert done.code == 1
    assert f"git worktree add ../toy-v{changed} cccccccccccc" in done.out
    registry.tag_version(turned, "toy", changed, {"airloop.code_commit": "c" * 40 + "-dirty"})
    assert "was not committed" in airloop_of_turned("reproduce", "toy", str(changed)).out
    assert airloop_of_turned("reproduce", "toy", str(changed), "--anyway").code == 0
