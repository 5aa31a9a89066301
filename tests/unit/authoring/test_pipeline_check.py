"""`airloop pipelines check` and `schema`: every part of a declaration is read, and a fault in any part is refused."""

import json
import re
import shutil
from collections.abc import Callable

import pytest
from tests.support import toy, toy_arrays, toy_stream
from tests.support.command import Airloop

from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.features import feature_store
from airloop.settings import Settings


def test_the_check_names_what_it_found_of_every_part(airloop: Airloop) -> None:
    shown = airloop("pipelines", "check")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "toy: pipeline.yaml: 4 feeds, 2 candidates",
        "toy: features.sql: 2 views, known to Feast",
        "toy: feature_repo/toy.py: service toy_v1 with 3 features",
        "toy: expectations.yaml: 8 expectations",
    ]


@pytest.mark.parametrize(("days", "looks"), [(14, False), (13, True)])
def test_a_holdout_on_which_no_champion_can_be_beaten_is_said(
    toy_settings: Settings, airloop: Airloop, days: int, looks: bool
) -> None:
    declared = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    changed = re.sub(r"holdout_days: \d+", f"holdout_days: {days}", declared.read_text())
    declared.write_text(changed)
    shown = airloop("pipelines", "check", "toy")
    assert shown.code == 0
    assert ("look: training.holdout_days 13 < gate.compare.min_blocks 14" in shown.out) is looks


READS_OUTCOMES_TOO = (
    "-- view: job_static\nSELECT job,",
    "-- view: job_static\nSELECT job, (SELECT count(*) FROM failures) AS ended,",
)


@pytest.mark.parametrize(
    ("declared", "edit", "looks"),
    [
        ("outcome: true", None, False),
        ("outcome: false", None, True),
        ("outcome: false", READS_OUTCOMES_TOO, False),
    ],
    ids=["declared", "not declared", "features read it as well"],
)
def test_a_feed_that_labels_alone_are_made_of_is_an_outcome(
    toy_settings: Settings, airloop: Airloop, declared: str, edit: tuple[str, str] | None, looks: bool
) -> None:
    toy_stream.edit(toy_settings, "pipeline.yaml", "outcome: true", declared)
    if edit:
        toy_stream.edit(toy_settings, "features.sql", *edit)
    shown = airloop("pipelines", "check", "toy")
    assert shown.code == 0
    assert ("look: feeds.failures makes the labels and no feature, and is not declared" in shown.out) is looks


def test_the_check_names_the_functions_and_counts_the_elements_of_arrays(
    toy_settings: Settings, airloop: Airloop
) -> None:
    toy_arrays.add_array(toy_settings)
    shown = airloop("pipelines", "check")
    assert shown.code == 0
    assert shown.out.splitlines()[2:4] == [
        "toy: transforms.py: last_readings",
        "toy: feature_repo/toy.py: service toy_v1 with 6 features",
    ]


@pytest.mark.parametrize(
    ("place", "old", "new", "says"),
    [
        (
            "include/pipelines/toy/transforms.py",
            "def last_readings",
            "def last_reading",
            "did you mean 'last_reading'?",
        ),
        ("include/pipelines/toy/transforms.py", "import pyarrow", "import pyarow", "cannot be loaded"),
        ("feature_repo/toy.py", ', tags={"length": "3"}', "", "machine_heat.readings: an array needs the number"),
        ("feature_repo/toy.py", "Array(Float64)", "Array(Int64)", "an array holds Float64 or Float32"),
        ("feature_repo/toy.py", 'name="job_size"', 'name="readings_1"', "two features are named 'readings_1'"),
    ],
)
def test_a_fault_of_an_array_or_of_its_function_is_refused(
    toy_settings: Settings, airloop: Airloop, place: str, old: str, new: str, says: str
) -> None:
    toy_arrays.add_array(toy_settings)
    toy_arrays.rewrite(toy_settings.project_dir / place, old, new)
    shown = airloop("pipelines", "check")
    assert shown.code == 1
    assert says in " ".join(shown.err.split())


@pytest.mark.parametrize("ignored", ["readings", "readings_2", "readings, celsius"])
def test_drift_of_an_array_is_ignored_by_its_own_name_or_an_elements(
    toy_settings: Settings, airloop: Airloop, ignored: str
) -> None:
    toy_arrays.add_array(toy_settings)
    place = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    toy_arrays.rewrite(place, "days: 3}", f"days: 3, ignore_drift: [{ignored}]}}")
    assert airloop("pipelines", "check").code == 0


@pytest.mark.parametrize("ignored", ["reading", "readings_3", "readings, reading"])
def test_to_ignore_the_drift_of_what_is_no_feature_is_refused(
    toy_settings: Settings, airloop: Airloop, ignored: str
) -> None:
    toy_arrays.add_array(toy_settings)
    place = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    toy_arrays.rewrite(place, "days: 3}", f"days: 3, ignore_drift: [{ignored}]}}")
    shown = airloop("pipelines", "check")
    assert shown.code == 1
    wrong = ignored.rsplit(", ", 1)[-1]
    assert f"ignore_drift names '{wrong}', which toy_v1 lacks; did you mean 'readings" in " ".join(shown.err.split())


@pytest.mark.parametrize(
    ("place", "old", "new", "says"),
    [
        ("include/pipelines/toy/pipeline.yaml", "calendar: daily", "calender: daily", "did you mean 'calendar'"),
        ("include/pipelines/toy/pipeline.yaml", "HistGradientBoostingClassifier", "HistBoost", "HistBoost"),
        ("include/pipelines/toy/pipeline.yaml", "name: toy", "name: toy\nreplay: 'nosuch:Replay'", "nosuch"),
        ("include/pipelines/toy/pipeline.yaml", "name: toy", "name: toy\nreplay: 'pathlib:Path'", "not a subclass of"),
        (
            "include/pipelines/toy/pipeline.yaml",
            "name: toy",
            "name: toy\nreplay: 'nycflights.feeds:NycWeather'",
            "; it has weather",
        ),
        ("include/pipelines/toy/pipeline.yaml", "service: toy_v1", "service: toy_v9", "toy_v9"),
        ("include/pipelines/toy/pipeline.yaml", "days: 3}", "days: 3, ignore_drift: [x]}", "ignore_drift names 'x'"),
        (
            "include/pipelines/toy/features.sql",
            "-- view: machine_heat",
            "-- table: machine_heat",
            "features.sql has no view machine_heat",
        ),
        ("include/pipelines/toy/expectations.yaml", "severity: critical", "severity: deadly", "deadly"),
    ],
)
def test_the_check_refuses_a_fault_in_any_part(
    airloop: Airloop, toy_settings: Settings, place: str, old: str, new: str, says: str
) -> None:
    path = toy_settings.project_dir / place
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    failed = airloop("pipelines", "check", "toy")
    assert failed.code == 1
    assert says in failed.err


def test_a_checkout_without_pipelines_is_refused(airloop: Airloop, toy_settings: Settings) -> None:
    (toy_settings.pipelines_dir / "toy" / "pipeline.yaml").unlink()
    failed = airloop("pipelines", "check")
    assert failed.code == 1
    assert "no pipeline is declared" in failed.err


def test_the_schema_is_json_schema_of_a_declaration(airloop: Airloop) -> None:
    shown = airloop("schema")
    assert shown.code == 0
    assert json.loads(shown.out) == Pipeline.model_json_schema()


FILES = ["include/pipelines/toy/features.sql", "include/pipelines/toy/expectations.yaml", "feature_repo/toy.py"]


@pytest.mark.parametrize("place", [*FILES, "include/pipelines/toy/pipeline.yaml"])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda content: b"\n--\xe9\n" + content, ":2: byte 0xe9 is not UTF-8: save the file in that encoding"),
        (lambda content: content.decode().encode("utf-16"), ":1: byte 0xff is not UTF-8"),
        (lambda content: b"\0" + content, ":1: holds a NUL character"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_its_line(
    toy_settings: Settings, airloop: Airloop, place: str, spoil: Callable[[bytes], bytes], says: str
) -> None:
    path = toy_settings.project_dir / place
    path.write_bytes(spoil(path.read_bytes()))
    shown = airloop("pipelines", "check", "toy")
    assert (shown.code, shown.out) == (1, "")
    assert f"{path}{says}" in shown.err


@pytest.mark.parametrize("place", FILES)
@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_what_editors_put_into_files_is_read_over(
    toy_settings: Settings, airloop: Airloop, place: str, change: Callable[[str], str]
) -> None:
    path = toy_settings.project_dir / place
    path.write_bytes(change(path.read_text()).encode())
    assert airloop("pipelines", "check", "toy").code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "feature_store.yaml: cannot be read: No such file or directory"),
        ("project: ${AIRLOOP_PIPLINE}", "${AIRLOOP_PIPLINE} is not filled"),
        ("project: [", "feature_store.yaml: while parsing"),
        ("- project", "is empty or not a mapping; compare it with the one that `airloop init` writes"),
    ],
)
def test_a_store_that_feast_could_not_open_is_refused(
    toy_settings: Settings, airloop: Airloop, text: str | None, says: str
) -> None:
    path = toy_settings.feature_repo_dir / "feature_store.yaml"
    path.unlink()
    if text is not None:
        path.write_text(text)
    shown = airloop("pipelines", "check", "toy")
    assert (shown.code, says in " ".join(shown.err.split())) == (1, True)


def test_a_store_of_a_kind_that_feast_does_not_know_is_one_error(toy_settings: Settings) -> None:
    path = toy_settings.feature_repo_dir / "feature_store.yaml"
    path.write_text(path.read_text().replace("registry_type: sql", "registry_type: sqll"))
    with pytest.raises(ConfigError, match=r"feature_store\.yaml: .*sqll.*compare it with"):
        feature_store.open_store(toy.toy_pipeline(toy_settings), toy_settings)


def test_a_query_that_does_not_end_is_refused_within_seconds(toy_settings: Settings, airloop: Airloop) -> None:
    path = toy_settings.pipelines_dir / "toy" / "features.sql"
    endless = "\nWHERE (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n) > 0;"
    path.write_text(path.read_text().replace("FROM heat;", f"FROM heat{endless}"))
    shown = airloop("pipelines", "check", "toy")
    assert shown.code == 1
    assert (
        "features.sql:6, section machine_heat: has not ended after 1 s of work over tables without a row" in shown.err
    )


@pytest.mark.parametrize(
    ("place", "old", "new", "says"),
    [
        (FILES[2], "features=[job_static, machine_heat]", "features=[]", "'toy_v1' has no feature to learn from"),
        (FILES[2], "timedelta(hours=3)", "timedelta(hours=-3)", "toy.py:22: feature view 'machine_heat' has the ttl"),
        (FILES[1], "min_value: 0, max_value: 1000", "min_value: 9, max_value: 1", "min_value 9 is above max_value 1"),
        (FILES[0], "FROM heat;", "FROM heat, information_schema.tables;", "tables tells of the process that runs it"),
        ("include/pipelines/toy/pipeline.yaml", "seed: 7", "seed: -1", "training.seed: Input should be greater"),
        (
            "include/pipelines/toy/pipeline.yaml",
            "resamples: 200",
            "resamples: 10000000",
            "resamples: Input should be less",
        ),
        (
            "include/pipelines/toy/pipeline.yaml",
            "files: machines.csv",
            "files: ../machines.csv",
            "no path from elsewhere",
        ),
        ("include/pipelines/toy/pipeline.yaml", "files: machines.csv", "files: /etc/hosts", "no path from elsewhere"),
        ("include/pipelines/toy/pipeline.yaml", "files: machines.csv", "files: 'a\\b.csv'", "no path from elsewhere"),
    ],
)
def test_what_could_never_work_is_refused_before_it_runs(
    toy_settings: Settings, airloop: Airloop, place: str, old: str, new: str, says: str
) -> None:
    toy_arrays.rewrite(toy_settings.project_dir / place, old, new)
    shown = airloop("pipelines", "check", "toy")
    assert (shown.code, says in " ".join(shown.err.split())) == (1, True)


def test_a_file_without_a_section_is_one_error_and_a_hidden_folder_is_no_pipeline(
    toy_settings: Settings, airloop: Airloop
) -> None:
    folder = toy_settings.pipelines_dir
    shutil.copytree(folder / "toy", folder / ".toy.swp")
    assert airloop("pipelines", "check").code == 0
    (folder / "toy" / "features.sql").write_text("")
    shown = airloop("pipelines", "check")
    assert (shown.code, len(shown.err.splitlines())) == (1, 1)
    assert (
        "features.sql: needs one `-- examples`, one `-- labels` and at least one `-- view: NAME` section" in shown.err
    )
