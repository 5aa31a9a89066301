"""What Feast knows of a pipeline: definitions that are complete, and a fingerprint that changes when they mean else."""

import subprocess
import sys

import pytest
from tests.support import toy, toy_arrays
from tests.support.run_plainly import judged

from airloop.config import load_pipelines
from airloop.deployment import Deployment
from airloop.errors import ConfigError
from airloop.features import examples, feature_store, sections
from airloop.features.materialize import materialize
from airloop.settings import Settings

FIELDS = '[Field(name="machine_code", dtype=String), Field(name="job_size", dtype=Float64)]'

ARRAY = 'dtype=Array(Float64), tags={"length": "3"}'
TRANSFORMS = "transforms.py"


@pytest.fixture
def with_array(tmp_path) -> Settings:
    return toy_arrays.write_project(tmp_path / "arrays", Settings().project_dir)


def fingerprint(settings):
    return feature_store.fingerprint(toy.toy_pipeline(settings), settings)


def test_the_fingerprint_survives_apply_and_materialization_and_is_equal_in_another_process(toy_built):
    pipeline, before = toy.toy_pipeline(toy_built), fingerprint(toy_built)
    feature_store.open_store(pipeline, toy_built)
    assert fingerprint(toy_built) == before
    materialize(Deployment(pipeline, toy_built), toy.days(0, 2), features=judged(toy.days(0, 2), "features"))
    assert fingerprint(toy_built) == before
    code = (
        "import sys; from airloop import config, settings; from airloop.features import feature_store;"
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


LITERAL = "SELECT machine, (machine = '--x')::DOUBLE AS celsius, known_at, created_at FROM heat;"


def with_literal(settings, root):
    return toy.edited(
        settings, root, "features.sql", "SELECT machine, celsius, known_at, created_at FROM heat;", LITERAL
    )


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("'--x'", "'--y'", True),
        ("'--x'", "'--x '", True),
        ("AS celsius", "AS celsius /* the heat */", False),
        ("FROM heat", "FROM -- the feed\n  heat", False),
    ],
)
def test_literals_always_count_and_comments_never(toy_settings, tmp_path, old, new, changes):
    before = with_literal(toy_settings, tmp_path / "a")
    after = toy.edited(before, tmp_path / "b", "features.sql", LITERAL, LITERAL.replace(old, new))
    assert (fingerprint(before) != fingerprint(after)) is changes


def test_a_version_trained_before_fingerprints_had_a_form_is_compared_by_the_old_one(toy_settings, tmp_path):
    pipeline = toy.toy_pipeline(toy_settings)
    # As airloop gave it to the toy at the commit before.
    stored = "6b990fdf68563475be226cdd7d712411d88c890794f2c93f123ce3f50892a55c"
    assert feature_store.fingerprint_like(stored, pipeline, toy_settings) == stored
    edited = toy.edited(toy_settings, tmp_path, "features.sql", "size AS job_size", "size + 1 AS job_size")
    assert feature_store.fingerprint_like(stored, pipeline, edited) != stored


def test_a_version_trained_since_is_compared_by_the_present_form(toy_settings, tmp_path):
    pipeline, stored = toy.toy_pipeline(toy_settings), fingerprint(toy_settings)
    assert feature_store.fingerprint_like(stored, pipeline, toy_settings) == stored
    edited = toy.edited(toy_settings, tmp_path, "features.sql", "size AS job_size", "size + 1 AS job_size")
    assert feature_store.fingerprint_like(stored, pipeline, edited) != stored


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ttl=ttl", "ttl=timedelta(0)", "'job_static' needs a ttl and a created_timestamp_column"),
        (
            ', created_timestamp_column="created_at"',
            "",
            "'job_static' needs a ttl and a created_timestamp_column",
        ),
        ("Field(name=key.join_key, dtype=String), ", "", "the schema of feature view 'job_static' lacks its key"),
        (
            'name="toy_v1"',
            'name="toy_v2"',
            r"no feature service 'toy_v1'; did you mean 'toy_v2'\? \(services: \['toy_v2'\]\)",
        ),
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


def test_an_array_is_one_projected_feature_and_as_many_names_as_it_has_elements(with_array):
    pipeline = toy.toy_pipeline(with_array)
    assert feature_store.view_features(pipeline, with_array)["machine_heat"] == ("celsius", "readings")
    names = feature_store.feature_names(pipeline, with_array)
    assert names == ("machine_code", "job_size", "celsius", *toy_arrays.COLUMNS)
    assert [*feature_store.array_features(pipeline, with_array)] == ["readings"]


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("dtype=Array(Float64)", r"machine_heat\.readings: an array needs the number of its elements as a tag"),
        (ARRAY.replace('"3"', '"three"'), r"machine_heat\.readings: an array needs the number of its elements"),
        (ARRAY.replace("Float64", "Int64"), r"machine_heat\.readings: is Array\(Int64\); an array holds Float64 or"),
    ],
    ids=["no_length", "length", "elements"],
)
def test_an_array_without_a_length_or_of_other_elements_is_refused(with_array, tmp_path, new, says):
    settings = toy.edited(with_array, tmp_path, "toy.py", ARRAY, new)
    with pytest.raises(ConfigError, match=says):
        feature_store.views(toy.toy_pipeline(settings), settings)


@pytest.mark.parametrize("name", ["readings_0", "readings_2"])
def test_a_feature_named_like_an_element_of_an_array_is_refused(with_array, tmp_path, name):
    settings = toy.edited(with_array, tmp_path, "toy.py", 'name="job_size"', f'name="{name}"')
    with pytest.raises(ConfigError, match=f"service 'toy_v1': two features are named '{name}'; an array's"):
        feature_store.feature_names(toy.toy_pipeline(settings), settings)
    near = toy.edited(with_array, tmp_path / "near", "toy.py", 'name="job_size"', 'name="readings_3"')
    assert "readings_3" in feature_store.feature_names(toy.toy_pipeline(near), near)


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("toy.py", '"length": "3"', '"length": "4"', True),
        (TRANSFORMS, "order = rows", "order  =  rows", False),
        (TRANSFORMS, "    seen, made", "    # Newest first.\n    seen, made", False),
        (TRANSFORMS, "[:3]", "[:2]", True),
        ("features.sql", " through last_readings", "", True),
    ],
    ids=["length", "layout", "comment", "code", "no_function"],
)
def test_the_fingerprint_changes_with_the_code_behind_an_array_and_its_length(
    with_array, tmp_path, file, old, new, changes
):
    edited = toy.edited(with_array, tmp_path / "edited", file, old, new)
    assert (fingerprint(edited) != fingerprint(with_array)) is changes


def test_the_fingerprint_ignores_functions_no_query_goes_through(toy_settings):
    before = fingerprint(toy_settings)
    (toy_settings.pipelines_dir / "toy" / TRANSFORMS).write_text(toy_arrays.TRANSFORMS)
    assert fingerprint(toy_settings) == before


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
    materialize(Deployment(pipeline, toy_built), toy.days(0, 3), features=judged(toy.days(0, 3), "features"))
    store = feature_store.open_store(pipeline, toy_built)
    rows = examples.examples(pipeline, window, toy_built).drop(["decision_time"]).to_pylist()
    online = store.get_online_features(store.get_feature_service("toy_v1"), entity_rows=rows).to_dict()
    assert online["job_size"] == trained["job_size"].tolist()
    assert online["machine_code"] == trained["machine_code"].tolist()
    assert None not in online["celsius"]
