"""Fast forms: equal to the pipeline on missing, unseen and extreme values within 1e-12, or not used."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.form_models import COLUMNS, COLUMNS_OF, MODELS, ROWS, fitted, made_up, real_rows

from airloop.errors import GuardRefused
from airloop.models.forms import choose, written
from airloop.models.forms.choose import chosen_form
from airloop.problems import task_of

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="module")
def frame():
    return made_up()


@pytest.mark.parametrize(("kind", "estimator", "encoder", "params", "form"), MODELS)
def test_a_model_is_served_by_a_form_that_equals_its_pipeline(
    toy_settings, frame, kind, estimator, encoder, params, form
):
    pipeline, model = fitted(toy_settings, frame, kind, estimator, encoder, params)
    task = task_of(pipeline)
    chosen = chosen_form(model.model, COLUMNS_OF, task, real_rows(frame))
    assert (chosen.name, chosen.why == "") == (form, form != "pipeline"), chosen.why
    rows = real_rows(frame, ROWS)
    if chosen.fast:
        rows += choose.probes(COLUMNS_OF, real_rows(frame))
    expected = task.predict(model.model, COLUMNS_OF.table(rows).to_pandas())
    size = np.maximum(1.0, np.abs(expected))
    assert (np.abs(chosen.predict(rows) - expected) / size).max() <= 1e-12
    if chosen.fast:
        kept = written.read(written.written(chosen, {"columns": list(COLUMNS)}))
        assert (kept.form.name, kept.why, kept.facts) == (form, "", {"columns": list(COLUMNS)})
        assert np.array_equal(kept.form.predict(rows), chosen.predict(rows))
    alone = np.concatenate([chosen.predict([row]) for row in rows[-30:]])
    assert (np.abs(alone - expected[-30:]) / size[-30:]).max() <= 1e-12


def test_a_form_that_differs_is_not_used_and_says_by_how_much(toy_settings, frame, monkeypatch):
    pipeline, model = fitted(toy_settings, frame, *MODELS[0][:4])
    real = choose.tree_form

    def off(encoder, estimator):
        form = real(encoder, estimator)
        return replace(form, values=form.values * (1 + 1e-9))

    monkeypatch.setitem(choose._BUILDERS, "trees", off)
    chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
    assert chosen.name == "pipeline"
    assert "trees: differs from the pipeline by " in chosen.why


def test_a_number_beyond_float32_is_refused_by_a_forest_as_by_its_pipeline(toy_settings, frame):
    pipeline, model = fitted(toy_settings, frame, *MODELS[1][:4])
    chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
    for count in (1, 40):
        with pytest.raises(ValueError, match="too large for float32"):
            chosen.predict([{**real_rows(frame)[0], "distance": 1e300}] * count)


def test_without_rows_to_compare_no_fast_form_is_used():
    assert choose.difference(lambda rows: rows, lambda rows: rows, []) == "there are no rows to compare on"


def test_small_trees_are_asked_by_leaf_masks_and_large_ones_by_walking(toy_settings, frame):
    kinds = []
    for leaves in (31, 50, 90):
        params = {"max_iter": 3, "max_leaf_nodes": leaves, "min_samples_leaf": 2}
        pipeline, model = fitted(toy_settings, frame, *MODELS[0][:3], params)
        chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
        masks = chosen.predict.scorer.masks
        kinds.append((chosen.name, masks.kept.dtype.name if masks else ""))
    assert kinds == [("trees", "uint32"), ("trees", "uint64"), ("trees", "")]


def test_a_form_reads_the_values_at_its_thresholds_as_its_pipeline_does(toy_settings, frame):
    for estimator in (MODELS[0], MODELS[1]):
        pipeline, model = fitted(toy_settings, frame, *estimator[:4])
        task = task_of(pipeline)
        chosen = chosen_form(model.model, COLUMNS_OF, task, real_rows(frame))
        edges = choose.edges(chosen.predict.scorer, real_rows(frame))
        assert len(edges) > 100
        expected = task.predict(model.model, COLUMNS_OF.table(edges).to_pandas())
        assert np.abs(chosen.predict(edges) - expected).max() <= 1e-12


def test_a_file_that_is_no_form_is_refused_unread(toy_settings, frame):
    pipeline, model = fitted(toy_settings, frame, *MODELS[0][:4])
    chosen = chosen_form(model.model, COLUMNS_OF, task_of(pipeline), real_rows(frame))
    content = written.written(chosen, {})
    pickled = io.BytesIO()
    np.savez(pickled, description=np.array([{"format": 1}], dtype=object))
    newer = content.replace(b'"format": 2', b'"format": 3')
    for broken in (b"", b"not a zip", content[:-200], pickled.getvalue(), newer):
        with pytest.raises(GuardRefused, match="serving form"):
            written.read(broken)


def test_a_form_that_an_older_airloop_kept_answers_as_it_did():
    # Written by commit ca846d2: two fits of boosting, each with an encoder of its own, and a logistic regression.
    kept = written.read((GOLDEN / "serving_form_1.npz").read_bytes())
    rows, answers = kept.facts["rows"], np.array(kept.facts["answers"])
    assert (kept.form.name, len(rows)) == ("vote", 9)
    alone = np.concatenate([kept.form.predict([row]) for row in rows])
    assert np.abs(kept.form.predict(rows) - answers).max() <= 1e-12
    assert np.abs(alone - answers).max() <= 1e-12


def test_of_very_wide_rows_fewer_are_compared():
    assert [choose.fewer(2000, columns) for columns in (0, 39, 784, 3000, 10**6)] == [2000, 2000, 255, 66, 50]
