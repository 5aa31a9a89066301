"""A champion that cannot serve is said with the way out, and the way works; what was swapped never serves."""

from pathlib import Path

import pytest
from tests.support import toy
from tests.support.run_plainly import run_plainly

from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import model_version
from airloop.serving import score
from airloop.stores import ledger
from airloop.stores.mlflow import model_files, tracking

LIVE = toy.days(44, 45)


def folder_of(settings, version):
    """Where the files of a version lie."""
    model = tracking.client(settings).get_model_version("toy", str(version)).source.removeprefix("models:/")
    return Path(tracking.client(settings).get_logged_model(model).artifact_location.removeprefix("file://"))


def test_the_digest_of_a_champion_is_in_its_version_its_decision_and_the_ledger(toy_trained):
    digest = model_files.digest(model_version.version_files("toy", 1, toy_trained))
    tags = tracking.client(toy_trained).get_model_version("toy", "1").tags
    recorded = {entry.kind: entry.payload["model_digest"] for entry in ledger.entries(toy_trained, "toy")}
    assert tags["airloop.model_digest"] == digest
    assert recorded == dict.fromkeys(("trained", "decision", "intended", "done"), digest)


@pytest.mark.parametrize("name", ["model.skops", "airloop.json", "MLmodel"])
def test_a_champion_whose_files_were_swapped_never_serves_even_when_its_tag_is_swapped_too(toy_trained, name):
    path = folder_of(toy_trained, 1) / name
    original = path.read_bytes()
    registered = tracking.client(toy_trained)
    digest = registered.get_model_version("toy", "1").tags["airloop.model_digest"]
    path.write_bytes(original + b" ")
    swapped = model_files.digest(model_version.version_files("toy", 1, toy_trained))
    registered.set_model_version_tag("toy", "1", "airloop.model_digest", swapped)
    try:
        with pytest.raises(
            GuardRefused, match=f"version 1 were changed: SHA-256 {swapped[:12]}, on record is {digest[:12]}"
        ):
            run_plainly(score.score, Deployment(toy.toy_pipeline(toy_trained), toy_trained), LIVE)
    finally:
        path.write_bytes(original)
        registered.set_model_version_tag("toy", "1", "airloop.model_digest", digest)
    assert run_plainly(score.score, Deployment(toy.toy_pipeline(toy_trained), toy_trained), LIVE).version == 1


def test_after_a_view_is_edited_scoring_goes_on_and_the_next_training_is_judged_by_floors(toy_trained, tmp_path):
    edited = toy.edited(toy_trained, tmp_path / "edited", "features.sql", "size AS job_size", "size * 2 AS job_size")
    toy.run_data(edited, toy.days(0, 45))
    before = toy.run("score", edited, LIVE)
    assert (before.version, before.by_pinned_features) == (1, True)
    decision = toy.run_training(edited, 44)
    assert decision.passed
    assert decision.why.startswith(
        "passed: champion 1 is not comparable: floors only (feature service toy_v1 is not what"
    )
    assert [check.rule for check in decision.checks] == ["floor roc_auc", "comparison"]
    assert decision.evidence == ()
    toy.run("promote", edited, toy.days(0, 44))
    after = toy.run("score", edited, LIVE)
    assert (after.version, after.by_pinned_features) == (decision.version, False)
