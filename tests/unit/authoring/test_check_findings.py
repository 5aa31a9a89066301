"""`airloop pipelines check` says all that the next data run or training would refuse: a line each, file and line."""

import re

import pytest
from tests.support import toy, toy_fleet
from tests.support.command import Airloop

from airloop.settings import Settings

SQL, YAML, RULES, REPO = "features.sql", "pipeline.yaml", "expectations.yaml", "toy.py"


def _edit(settings: Settings, file: str, old: str, new: str) -> None:
    folder = settings.feature_repo_dir if file == REPO else settings.pipelines_dir / "toy"
    toy_fleet.rewrite(folder / file, old, new)


def _lines(airloop: Airloop) -> list[str]:
    shown = airloop("pipelines", "check", "toy")
    assert shown.code == 1
    return shown.err.replace("error: ", "").splitlines()


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (SQL, "machine, celsius,", "machine, celsus,", r'features\.sql:6, section machine_heat: .*"celsus" not found'),
        (SQL, "FROM heat", "FROM heet", r"features\.sql:6, section machine_heat: .*heet does not exist"),
        (SQL, "size AS job_size", "size AS size_of_job", r"features\.sql:3, .*has no column 'job_size'"),
        (SQL, "celsius, known_at, created_at", "celsius, created_at", r"features\.sql:6, .*has no column 'known_at'"),
        (SQL, "celsius, known_at, created_at", "celsius, 'x' AS known_at, created_at", r"known_at' is string, not"),
        (SQL, "SELECT job, machine, starts_at", "SELECT job, starts_at", r"sql:9, .*has no column 'machine'"),
        (SQL, "SELECT job, machine, starts", "SELECT job, machine, 1 AS job_size, starts", r"sql:9, .*a feature"),
        (SQL, "AS decision_time", "AS at", r"features\.sql:9, section examples: has no column 'decision_time'"),
        (SQL, "AS label, known_at", "AS label", r"features\.sql:12, section labels: has no column 'known_at'"),
        (SQL, "failed::DOUBLE", "failed:::DOUBLE", r"features\.sql:12, section labels: .*syntax error"),
        (SQL, "FROM failures", "FROM read_csv('x.csv')", r"features\.sql:12, section labels: .*land it"),
        (YAML, "max_iter: 200", "max_iter: -5", r"yaml:\d+: training.candidates.log\w+.params: .*max_it"),
        (YAML, "[4, 8]", "[1, 8]", r"yaml:\d+: training.candidates.gr\w+.search.max_leaf_nodes: "),
        (YAML, "LogisticRegression", "LogisticRegresion", r"cannot be imported"),
        (YAML, "holdout_days: 15", "holdout_days: 60", r"yaml:\d+: training.holdout_days: .*no row would be"),
        (RULES, "{column: size, min_value", "{column: sise, min_value", r"s\.yaml:\d+: raw.jobs.2: jobs has no"),
        (RULES, "min_value: 0", "min_valu: 0", r"expectations\.yaml:\d+: raw.jobs.2.kwargs: "),
        (YAML, "share: 0.05}", "share: 0.05, fail_on: [unit_chang]}", r"yaml:\d+: validation.fail_on: .*'unit_change'"),
        (YAML, "rule: {probe:", "rule: {prob:", r"yaml:\d+: gate.compare.rule.prob: .*did you mean 'probe'"),
        (YAML, "default: superior}", "defualt: superior}", r"yaml:\d+: gate.compare.rule.defualt: .*mean 'default'"),
        (YAML, "name: toy", "name: toy\nreplay: 'nosuch:Replay'", r"yaml:\d+: replay: nosuch:Replay: cannot"),
        (YAML, "name: toy\n", "name: toy_2\n", r"yaml:\d+: name: 'toy_2' differs from its folder"),
        (YAML, "days: 3}", "days: 3, ignore_drift: [x]}", r"yaml:\d+: features.ignore_drift names 'x'"),
        (YAML, "seed: 7", "seed: 7, text: [job_sise]", r"yaml:\d+: training.text names 'job_sise', .*mean 'job_size'"),
        (YAML, "seed: 7", "seed: 7, text: [job_size]", r"yaml:\d+: training.text .*'job_size', which holds double and"),
        (RULES, "\nfeatures:", "\nraw: {}\nfeatures:", r"expectations\.yaml:\d+: .*the key 'raw' is there twice"),
        (RULES, "raw:", "rawe:", r"expectations\.yaml:\d+: rawe: unknown key; did you mean 'raw'"),
        (RULES, "expect_column_values_to_be_between", "expect_column_values_to_be_betwen", r"yaml:\d+: .*mean 'exp"),
        (SQL, "-- view: machine_heat", "-- view: machine_hot", r"features\.sql:6: view machine_hot is not known to"),
        (SQL, "-- view: machine_heat", "-- view: machine_hot", r"toy\.py:\d\d+: features.sql has no view machine_h"),
        (REPO, 'name="toy_v1"', 'name="toy_v2"', r"toy\.py:\d\d+: no feature service 'toy_v1'; did you mean 'toy_v2'"),
        (REPO, 'name="job_size"', 'name="label"', r"toy\.py:\d\d+: feature 'label' has the name of a column"),
        (REPO, "job = Entity", "job == Entity", r"toy\.py:\d+: cannot be loaded: NameError"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_place(
    toy_settings: Settings, airloop: Airloop, file: str, old: str, new: str, says: str
) -> None:
    _edit(toy_settings, file, old, new)
    assert [line for line in _lines(airloop) if re.search(says, line)] != []
    assert airloop("pipelines", "check", "toy").code == 1


def test_every_mistake_is_said_at_once(toy_settings: Settings, airloop: Airloop) -> None:
    _edit(toy_settings, SQL, "machine, celsius,", "machine, celsus,")
    _edit(toy_settings, SQL, "AS decision_time", "AS at")
    _edit(toy_settings, YAML, "[4, 8]", "[1, 8]")
    _edit(toy_settings, YAML, "max_iter: 200", "max_iter: -5")
    _edit(toy_settings, RULES, "{column: size, min_value", "{column: sise, min_value")
    text = "\n".join(_lines(airloop))
    for place in ("features.sql:6", "features.sql:9", "search.max_leaf_nodes", "regression.params", "raw.jobs.2"):
        assert place in text


def test_a_rule_of_a_view_names_a_column_that_the_view_has(toy_settings: Settings, airloop: Airloop) -> None:
    rules = toy_settings.pipelines_dir / "toy" / RULES
    text = rules.read_text()
    place = text.index("machine_heat:")
    rules.write_text(text[:place] + text[place:].replace("column: machine", "column: maschine"))
    assert any("features.machine_heat.0: machine_heat has no column 'maschine'" in line for line in _lines(airloop))


def test_a_section_that_reads_a_broken_one_is_not_blamed(toy_settings: Settings, airloop: Airloop) -> None:
    step = "-- table: step\nSELECT nothing FROM heat;\n\n-- view: machine_heat"
    _edit(toy_settings, SQL, "-- view: machine_heat", step)
    _edit(toy_settings, SQL, "created_at FROM heat;\n\n-- examples", "created_at FROM step;\n\n-- examples")
    lines = [line for line in _lines(airloop) if "features.sql" in line]
    assert len(lines) == 1
    assert "section step" in lines[0]


def test_one_broken_pipeline_hides_no_other(toy_settings: Settings, airloop: Airloop) -> None:
    toy_fleet.add(toy_settings, "alpha")
    _edit(toy_settings, YAML, "calendar:", "calender:")
    shown = airloop("pipelines", "check")
    assert shown.code == 1
    assert "alpha: features.sql: 2 views" in shown.out
    assert "calender: unknown key" in shown.err


@pytest.mark.parametrize("kind", ["unit_change", "labels_missing", "performance", "files_missing", "missing_day"])
def test_every_kind_of_alarm_may_fail_a_window(toy_settings: Settings, airloop: Airloop, kind: str) -> None:
    _edit(toy_settings, YAML, "share: 0.05}", f"share: 0.05, fail_on: [{kind}]}}")
    assert airloop("pipelines", "check", "toy").code == 0


def test_what_is_sound_has_no_finding(toy_settings: Settings, airloop: Airloop) -> None:
    assert airloop("pipelines", "check", "toy").code == 0
    assert toy.toy_pipeline(toy_settings).name == "toy"
