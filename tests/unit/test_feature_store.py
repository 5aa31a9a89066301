"""What Feast knows of a pipeline: definitions that are complete, and a fingerprint that changes when they mean else."""

import subprocess
import sys

import pytest
import toy

from airloop import examples, feature_store, sections
from airloop.config import load_pipelines
from airloop.errors import ConfigError
from airloop.materialize import materialize
from airloop.settings import Settings

FIELDS = '[Field(name="machine_code", dtype=String), Field(name="job_size", dtype=Float64)]'


def fingerprint(settings):
    return feature_store.fingerprint(toy.toy_pipeline(settings), settings)


def test_the_fingerprint_survives_apply_and_materialization_and_is_equal_in_another_process(toy_built):
    pipeline, before = toy.toy_pipeline(toy_built), fingerprint(toy_built)
    feature_store.open_store(pipeline, toy_built)
    assert fingerprint(toy_built) == before
    materialize(pipeline, toy.days(0, 2), None, toy_built)
    assert fingerprint(toy_built) == before
    code = (
        "import sys; from airloop import feature_store, config, settings;"
        "s = settings.load_settings(project_dir=sys.argv[1], home=sys.argv[2]);"
        "print(feature_store.fingerprint(config.load_pipeline('toy', s), s))"
    )
    command = [sys.executable, "-c", code, str(toy_built.project_dir), str(toy_built.home)]
    include = Settings().project_dir / "include"
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=include)
    assert found.stdout.split() == [before]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timedelta(hours=3)", "timedelta(hours=4)"),
        ('Field(name="celsius", dtype=Float64)', 'Field(name="celsius", dtype=String)'),
        (FIELDS, '[Field(name="job_size", dtype=Float64)]'),
        (FIELDS, '[Field(name="job_size", dtype=Float64), Field(name="machine_code", dtype=String)]'),
        ('path="toy/features/" + name', 'path="toy/others/" + name'),
        ("[job_static, machine_heat]", "[job_static]"),
        ("[job_static, machine_heat]", "[machine_heat, job_static]"),
    ],
    ids=["ttl", "type", "fewer_features", "order_of_features", "source", "fewer_views", "order_of_views"],
)
def test_the_fingerprint_changes_with_what_the_features_mean(toy_settings, tmp_path, old, new):
    assert fingerprint(toy.edited(toy_settings, tmp_path, "toy.py", old, new)) != fingerprint(toy_settings)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("entities=[key]", "entities=[key], owner='somebody', description='prose', tags={'a': 'b'}"),
        ("toy_v1 =", "unused = view('unused', job, timedelta(days=1), [])\ntoy_v1 ="),
    ],
    ids=["prose", "a_view_outside_the_service"],
)
def test_the_fingerprint_ignores_what_changes_no_value(toy_settings, tmp_path, old, new):
    assert fingerprint(toy.edited(toy_settings, tmp_path, "toy.py", old, new)) == fingerprint(toy_settings)


def test_the_fingerprint_changes_with_the_query_behind_a_feature_and_not_with_its_layout(toy_settings, tmp_path):
    line = "SELECT machine, celsius, known_at, created_at FROM heat;"
    changed = toy.edited(
        toy_settings, tmp_path / "a", "features.sql", line, line.replace("celsius,", "-celsius AS celsius,")
    )
    laid_out = toy.edited(
        toy_settings, tmp_path / "b", "features.sql", line, "-- why\n" + line.replace(" FROM", "\n  FROM")
    )
    assert fingerprint(changed) != fingerprint(toy_settings)
    assert fingerprint(laid_out) == fingerprint(toy_settings)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ttl=ttl", "ttl=timedelta(0)", "'job_static' of toy: needs a ttl and a created_timestamp_column"),
        (
            ', created_timestamp_column="created_at"',
            "",
            "'job_static' of toy: needs a ttl and a created_timestamp_column",
        ),
        ("Field(name=key.join_key, dtype=String), ", "", "'job_static' of toy: its schema lacks the key"),
        ('name="toy_v1"', 'name="toy_v2"', r"no feature service 'toy_v1' \(services: \['toy_v2'\]\)"),
    ],
    ids=["ttl", "created", "key", "service"],
)
def test_incomplete_definitions_are_refused(toy_settings, tmp_path, old, new, says):
    settings = toy.edited(toy_settings, tmp_path, "toy.py", old, new)
    with pytest.raises(ConfigError, match=says):
        feature_store.view_keys(toy.toy_pipeline(settings), settings)


def test_a_pipeline_without_definitions_is_refused(toy_settings):
    pipeline = toy.toy_pipeline(toy_settings)
    (toy_settings.feature_repo_dir / "toy.py").unlink()
    with pytest.raises(ConfigError, match=r"toy\.py: missing; it tells Feast"):
        feature_store.views(pipeline, toy_settings)


def test_edited_definitions_are_read_again(toy_settings):
    before = fingerprint(toy_settings)
    path = toy_settings.feature_repo_dir / "toy.py"
    path.write_text(path.read_text().replace("timedelta(hours=3)", "timedelta(hours=5)"))
    assert fingerprint(toy_settings) != before


def test_names_come_in_the_order_of_the_service(toy_settings):
    pipeline = toy.toy_pipeline(toy_settings)
    assert feature_store.feature_names(pipeline, toy_settings) == ("machine_code", "job_size", "celsius")
    assert feature_store.view_keys(pipeline, toy_settings) == {"job_static": ("job",), "machine_heat": ("machine",)}


def test_every_declared_pipeline_reads_exactly_the_views_its_sql_makes():
    settings = Settings()
    pipelines = load_pipelines(settings)
    assert "flight_delays" in [pipeline.name for pipeline in pipelines]
    for pipeline in pipelines:
        assert {*feature_store.view_features(pipeline, settings)} == {*sections.view_names(pipeline, settings)}
        names = feature_store.feature_names(pipeline, settings)
        assert len(names) == len({*names})


def test_the_service_reads_historically_and_online(toy_built):
    pipeline = toy.toy_pipeline(toy_built)
    window = toy.days(2, 3)
    trained = examples.feature_frame(pipeline, window, toy_built, with_labels=False)
    assert trained.notna().all(axis=None)
    materialize(pipeline, toy.days(0, 3), None, toy_built)
    store = feature_store.open_store(pipeline, toy_built)
    rows = examples.examples(pipeline, window, toy_built).drop(["decision_time"]).to_pylist()
    online = store.get_online_features(store.get_feature_service("toy_v1"), entity_rows=rows).to_dict()
    assert online["job_size"] == trained["job_size"].tolist()
    assert online["machine_code"] == trained["machine_code"].tolist()
    assert None not in online["celsius"]
