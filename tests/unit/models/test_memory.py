"""A training that cannot fit into memory is refused before its features are read."""

import pytest
from tests.support import toy

from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.features import examples
from airloop.models import memory, training_rows


def test_the_refusal_names_what_is_needed_what_there_is_and_how_many_rows_would_fit(toy_settings):
    pipeline = toy.toy_pipeline(toy_settings)
    small = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"memory_gib": 12})})
    with pytest.raises(DataContractError) as refused:
        memory.refuse_too_large(small, rows=10_000_000, columns=40)
    assert "10,000,000 rows of 40 features take about 29.8 GiB to train on, training.memory_gib is 12.0" in str(
        refused.value
    )
    assert "set training.max_train_rows below 4,026,531" in str(refused.value)
    memory.refuse_too_large(small, rows=4_000_000, columns=40)


def test_trees_alone_take_less_than_candidates_whose_numbers_are_scaled(toy_settings):
    pipeline = toy.toy_pipeline(toy_settings)
    trees = {"gradient_boosting": pipeline.training.candidates["gradient_boosting"]}
    small = pipeline.training.model_copy(update={"memory_gib": 12, "candidates": trees})
    memory.refuse_too_large(pipeline.model_copy(update={"training": small}), rows=5_000_000, columns=40)


def test_by_default_the_machine_is_the_bound(toy_settings, monkeypatch):
    pipeline = toy.toy_pipeline(toy_settings)
    monkeypatch.setattr(memory, "machine_memory", lambda: 2.0**30)
    with pytest.raises(DataContractError, match=r"take about 2\.2 GiB to train on, the machine has 1\.0"):
        memory.refuse_too_large(pipeline, rows=300_000, columns=100)
    memory.refuse_too_large(pipeline, rows=130_000, columns=100)


def test_a_container_counts_by_its_own_limit(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_LIMITS", (tmp_path / "none", limit))
    whole = memory.machine_memory()
    limit.write_text("max\n")
    assert memory.machine_memory() == whole
    limit.write_text("1048576\n")
    assert memory.machine_memory() == 1_048_576


def test_a_snapshot_is_refused_before_its_features_are_read(toy_built, monkeypatch):
    pipeline, cutoff = toy.toy_pipeline(toy_built), toy.days(0, 40).end
    tiny = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"memory_gib": 1e-5})})
    monkeypatch.setattr(examples, "retrieve", lambda *_: pytest.fail("features were read"))
    with pytest.raises(DataContractError, match=r"rows of 3 features take .* set training\.max_train_rows below"):
        training_rows.training_rows(Deployment(tiny, toy_built), cutoff)
    monkeypatch.undo()
    fewer = tiny.model_copy(update={"training": tiny.training.model_copy(update={"memory_gib": 1.0})})
    assert len(training_rows.training_rows(Deployment(fewer, toy_built), cutoff).frame) > 1000
