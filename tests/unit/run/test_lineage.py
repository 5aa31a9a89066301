"""Lineage: each run of a stage says what it read and wrote, so that a reader of OpenLineage joins the stages."""

import json
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from tests.conftest import REPOSITORY
from tests.support import foreign, toy

from airloop.config.retention import Retention
from airloop.errors import DataContractError
from airloop.run.lineage.datasets import address
from airloop.settings import Settings
from airloop.upkeep.maintain import maintain


def events(settings, stage=""):
    lines = [
        json.loads(line)
        for file in sorted((settings.home / "lineage" / "toy").glob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]
    return [event for event in lines if not stage or event["job"]["name"] == f"toy.{stage}"]


def ended(settings, stage):
    """The newest event of a stage that came to its end."""
    return [event for event in events(settings, stage) if event["eventType"] == "COMPLETE"][-1]


def names(datasets):
    return {(item["namespace"], item["name"]) for item in datasets}


def facets(event):
    """Every facet of an event, by its name."""
    holders = [event["run"]["facets"], event["job"]["facets"]]
    for dataset in (*event["inputs"], *event["outputs"]):
        holders += [dataset["facets"], dataset.get("outputFacets", {})]
    return [(name, facet) for holder in holders for name, facet in holder.items()]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A loop from end to end in one home: where it was copied, files and tables would have two names."""
    here = toy.write_project(tmp_path_factory.mktemp("lineage") / "project", Settings().project_dir)
    toy.land(here, days=range(45))
    toy.run_data(here, toy.days(0, 45))
    assert toy.run_training(here, 40).passed
    toy.run("promote", here, toy.days(0, 40))
    toy.run("score", here, toy.days(41, 43))
    return here


def test_every_event_is_as_the_specification_asks(settings):
    for event in events(settings):
        assert event["eventType"] in {"START", "COMPLETE", "FAIL"}
        assert datetime.fromisoformat(event["eventTime"]).utcoffset() == timedelta(0)
        assert uuid.UUID(event["run"]["runId"]).version == 4
        assert (event["job"]["namespace"], event["job"]["name"].split(".")[0]) == ("airloop", "toy")
        assert urlsplit(event["producer"]).scheme == "urn"
        for name, facet in facets(event):
            url = urlsplit(facet["_schemaURL"])
            kind = url.path.rsplit("/", 1)[1].removesuffix(".json")
            assert (facet["_producer"], url.fragment) == (event["producer"], f"/$defs/{kind}"), name
            assert kind.endswith("Facet")
        for dataset in (*event["inputs"], *event["outputs"]):
            assert dataset["namespace"]
            assert dataset["name"]


def test_openlineages_own_classes_take_every_event(settings, request, tmp_path_factory):
    python = foreign.python_with("openlineage-python==1.54.0", tmp_path_factory.mktemp("openlineage"), request.config)
    script, files = (
        REPOSITORY / "tests/support/openlineage_events.py",
        (settings.home / "lineage" / "toy").glob("*.jsonl"),
    )
    done = subprocess.run([python, script, *files], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["counted"]["RunEvent"] == len(events(settings))
    assert {"SchemaDatasetFacet", "DatasetVersionDatasetFacet", "NominalTimeRunFacet"} <= found["counted"].keys()


def test_each_run_starts_once_and_ends_once(settings):
    by_run = {}
    for event in events(settings):
        by_run.setdefault(event["run"]["runId"], []).append(event["eventType"])
    assert len(by_run) > 10
    assert {tuple(types) for types in by_run.values()} == {("START", "COMPLETE")}


@pytest.mark.parametrize(
    ("wrote", "reads"),
    [
        ("ingest", "validate_raw"),
        ("validate_raw", "build_features"),
        ("build_features", "snapshot"),
        ("build_features", "score"),
        ("snapshot", "train"),
        ("train", "evaluate"),
    ],
)
def test_what_a_stage_wrote_is_what_the_next_one_read(settings, wrote, reads):
    written = names(ended(settings, wrote)["outputs"])
    assert written
    assert written & names(ended(settings, reads)["inputs"])


def test_files_tables_training_sets_and_models_are_named_with_version_and_columns(settings):
    landed = {name for _, name in names(ended(settings, "ingest")["inputs"])}
    assert {str(settings.home / "landing" / "toy" / feed) for feed in ("jobs", "heat", "failures")} <= landed
    built = ended(settings, "build_features")["outputs"]
    static = next(item for item in built if item["name"].endswith("features/job_static"))
    fields = {field["name"]: field["type"] for field in static["facets"]["schema"]["fields"]}
    assert fields["job_size"] in {"int64", "double", "int32"}
    assert "month" not in fields
    assert int(static["facets"]["version"]["datasetVersion"]) >= 0
    assert static["outputFacets"]["outputStatistics"]["rowCount"] == 45 * toy.ROWS_A_DAY
    (frozen,) = ended(settings, "snapshot")["outputs"]
    assert [field["name"] for field in frozen["facets"]["schema"]["fields"]] == ["machine_code", "job_size", "celsius"]
    assert names(ended(settings, "train")["outputs"]) == {("mlflow", "toy/1")}
    (predictions,) = ended(settings, "score")["outputs"]
    assert predictions["outputFacets"]["outputStatistics"]["rowCount"] == 2 * toy.ROWS_A_DAY


def test_no_event_holds_a_row_or_a_setting(settings):
    text = json.dumps(events(settings))
    assert "j001-001" not in text
    assert "sqlite" not in text
    assert address("s3://key:secret@bucket/lake/toy?token=t") == ("s3://bucket", "lake/toy")
    assert address("/data/toy") == address("file:///data/toy") == ("file", "/data/toy")


def test_a_run_that_fails_says_so_with_the_kind_of_its_error_alone(settings):
    before = len(events(settings))
    with pytest.raises(DataContractError):
        toy.run("snapshot", settings, toy.days(0, 18), reason="hand")
    started, failed = events(settings, "snapshot")[-2:]
    assert len(events(settings)) == before + 2
    assert (started["eventType"], failed["eventType"], failed["outputs"]) == ("START", "FAIL", [])
    assert failed["run"]["facets"]["errorMessage"]["message"] == "DataContractError"


def test_an_input_that_was_done_before_is_no_run(settings):
    before = events(settings)
    toy.run("score", settings, toy.days(41, 43))
    assert events(settings) == before


def test_lineage_that_cannot_be_written_stops_no_stage(toy_settings, caplog):
    toy.land(toy_settings, days=range(1))
    toy_settings.home.mkdir(exist_ok=True)
    (toy_settings.home / "lineage").write_text("somebody else's file")
    assert toy.run("ingest", toy_settings, toy.days(0, 1)).tables
    assert "toy ingest: no lineage event START" in caplog.text


@pytest.mark.parametrize(("days", "kept"), [(365, 2), (None, 3)])
def test_old_files_are_removed_as_declared(toy_settings, days, kept):
    folder = toy_settings.home / "lineage" / "toy"
    folder.mkdir(parents=True)
    now = datetime.now(UTC)
    for name in (f"{now - timedelta(days=400):%Y-%m-%d}", f"{now:%Y-%m-%d}", "notes"):
        (folder / f"{name}.jsonl").write_text("{}\n")
    pipeline = toy.toy_pipeline(toy_settings).model_copy(update={"retention": Retention(lineage_days=days)})
    counted = maintain(pipeline, toy_settings, dry_run=True)
    assert len(list(folder.iterdir())) == 3
    assert maintain(pipeline, toy_settings, dry_run=False) == counted
    assert len(list(folder.iterdir())) == kept
