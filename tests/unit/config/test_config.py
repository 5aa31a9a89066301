"""A declaration is read whole or refused; the refusal names the file, the key and the nearest valid key."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import toy

from airloop.config import Pipeline, load_pipeline, load_pipelines, pipeline_names
from airloop.config.attribute import resolve
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings

SHIPPED = pipeline_names(load_settings())
ROOT = ("training", "candidates", "logistic_regression")


def _declaration() -> dict[str, Any]:
    return yaml.safe_load(toy.PIPELINE)


def _node(data: Any, place: tuple[str | int, ...]) -> Any:
    for part in place:
        data = data[part]
    return data


def _load(settings: Settings, data: Any) -> Pipeline:
    text = data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False)
    (settings.pipelines_dir / "toy" / "pipeline.yaml").write_text(text)
    return load_pipeline("toy", settings)


def _refusal(settings: Settings, data: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        _load(settings, data)
    message = str(refused.value)
    assert message.startswith(str(settings.pipelines_dir / "toy" / "pipeline.yaml"))
    return message


def test_pipelines_are_shipped() -> None:
    assert "flight_delays" in SHIPPED
    assert tuple(pipeline.name for pipeline in load_pipelines(load_settings())) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pipeline_names_only_what_can_be_imported(name: str) -> None:
    pipeline = load_pipeline(name, load_settings())
    for candidate in pipeline.training.candidates.values():
        assert hasattr(resolve(candidate.estimator), "fit")
    if pipeline.replay:
        assert callable(resolve(pipeline.replay))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_declaration_fits_on_one_screen_and_waits_for_its_labels(name: str) -> None:
    settings = load_settings()
    text = (settings.pipelines_dir / name / "pipeline.yaml").read_text()
    assert len(text.splitlines()) <= 80
    assert load_pipeline(name, settings).prediction.label_delay_hours > 0


@pytest.mark.parametrize(
    ("place", "key", "typo"),
    [
        ((), "monitoring", "monitorng"),
        ((), "calendar", "calender"),
        (("coverage",), "start", "strat"),
        (("feeds", "jobs"), "event_time", "event_tme"),
        (("feeds", "heat"), "columns", "colums"),
        (("prediction",), "lead_minutes", "lead_minute"),
        (("features",), "lookback_days", "lookback"),
        (("validation",), "max_bad_share", "max_bad_shares"),
        (("training",), "holdout_days", "holdout_day"),
        (("training", "budget"), "trials", "trails"),
        (ROOT, "estimator", "estimater"),
        ((*ROOT, "search", "C"), "high", "hihg"),
        (("gate",), "floors", "flors"),
        (("gate", "floors", 0), "at_least", "atleast"),
        (("gate", "compare"), "min_blocks", "min_block"),
        (("monitoring",), "psi_threshold", "psi_treshold"),
        (("monitoring", "policy"), "cool_down_days", "cooldown_days"),
    ],
)
def test_a_typo_is_refused_with_the_key_and_the_nearest_valid_one(
    toy_settings: Settings, place: tuple[str | int, ...], key: str, typo: str
) -> None:
    data = _declaration()
    node = _node(data, place)
    node[typo] = node.pop(key)
    message = _refusal(toy_settings, data)
    assert ".".join(map(str, place)) in message
    assert f"{typo}: unknown key; did you mean {key!r}?" in message


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("calendar",), "fortnightly", "'monthly'"),
        (("name",), "Toy Pipeline", "pattern"),
        (("coverage", "start"), "the first", "isoformat"),
        (("coverage", "end"), "2020-01-01", "must lie after start"),
        (("feeds",), {}, "at least 1"),
        (("feeds", "jobs", "columns", "size"), "int", "'integer'"),
        (("feeds", "jobs", "key"), [], "at least 1"),
        (("feeds", "jobs", "key"), "job", "tuple"),
        (("feeds", "jobs", "key"), ["jb"], "'jb' is used as key"),
        (("feeds", "jobs", "event_time"), "planned", "'planned' is used as key or time"),
        (("feeds", "jobs", "event_time"), "size", "not a timestamp"),
        (("feeds", "jobs", "known_at"), "machine", "not a timestamp"),
        (("feeds", "jobs", "columns", "month"), "integer", "'month' is airloop's own"),
        (("feeds", "jobs", "columns", "known_at"), "timestamp", "'known_at' is airloop's own"),
        (("feeds", "jobs", "delay_minutes"), -1, "greater than or equal to 0"),
        (("feeds", "jobs", "day_timezone"), "Mars/Olympus", "no such time zone"),
        (("feeds", "machines", "files"), "{day}.csv", "needs `event_time`"),
        (("feeds", "jobs", "files"), "jobs.csv", "needs `event_time`"),
        (("prediction", "lead_minutes"), "soon", "integer"),
        (("prediction", "label_delay_hours"), -1, "greater than or equal to 0"),
        (("validation", "max_bad_share"), 1.5, "less than or equal to 1"),
        (("training", "candidates"), {}, "at least 1"),
        ((*ROOT, "estimator"), "sklearn.linear_model.LogisticRegression", "pattern"),
        ((*ROOT, "search", "C"), {"low": 2, "high": 1}, "low must not pass high"),
        ((*ROOT, "search", "C"), {"low": 0, "high": 1, "log": True}, "starts above 0"),
        ((*ROOT, "search", "C"), [], "at least 1"),
        (("gate", "floors"), [], "at least 1"),
        (("gate", "floors", 0), {"metric": "roc_auc"}, "exactly one of at_least, at_most"),
        (("gate", "floors", 0), {"metric": "brier", "at_most": 1, "at_least": 0}, "exactly one"),
        (("gate", "floors", 0, "metric"), "accuracy", "'roc_auc'"),
        (("gate", "compare", "min_blocks"), 13, "greater than or equal to 14"),
        (("gate", "compare", "rule"), {"probe": "superior"}, "needs an entry `default`"),
        (("gate", "compare", "rule"), {"default": "not_surely_worse"}, "for growth alone; of default ask for superior"),
        (("monitoring", "policy", "k"), 2, "k=2 of n=1 windows can never happen"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(
    toy_settings: Settings, place: tuple[str | int, ...], value: Any, says: str
) -> None:
    data = _declaration()
    _node(data, place[:-1])[place[-1]] = value
    message = _refusal(toy_settings, data)
    assert str(place[0]) in message
    assert says in message


@pytest.mark.parametrize("place", [("gate",), ("gate", "floors"), ("feeds", "jobs", "key"), ("training", "seed")])
def test_a_missing_key_is_refused_with_its_place(toy_settings: Settings, place: tuple[str, ...]) -> None:
    data = _declaration()
    del _node(data, place[:-1])[place[-1]]
    assert f"{'.'.join(place)}: required key is missing" in _refusal(toy_settings, data)


def test_a_value_that_is_long_is_cut_in_the_message(toy_settings: Settings) -> None:
    data = _declaration()
    data["feeds"]["jobs"]["columns"] |= {f"column_{number}": "string" for number in range(200)}
    data["feeds"]["jobs"]["key"] = ["jb"]
    data["gate"]["floors"][0]["metric"] = "x" * 5000
    lines = _refusal(toy_settings, data).splitlines()
    assert "x" * 80 in lines[1]
    assert "x" * 110 not in lines[1]


def test_many_faults_are_reported_at_once_and_counted(toy_settings: Settings) -> None:
    data = _declaration() | {f"bogus_{number}": 1 for number in range(9)}
    message = _refusal(toy_settings, data)
    assert message.count("unknown key") == 5
    assert message.endswith("... and 4 more")


def test_a_key_that_is_there_twice_is_refused(toy_settings: Settings) -> None:
    message = _refusal(toy_settings, toy.PIPELINE + "\nowner: somebody\n")
    assert "the key 'owner' is there twice" in message


def test_yaml_anchors_and_merges_still_work(toy_settings: Settings) -> None:
    shared = "  jobs:\n    {files"
    text = toy.PIPELINE.replace(shared, "  jobs: &jobs\n    {files").replace(
        "\n  failures:\n", "\n  more:\n    <<: *jobs\n    files: 'more-{day}.csv'\n  failures:\n"
    )
    feeds = _load(toy_settings, text).feeds
    assert feeds["more"].columns == feeds["jobs"].columns
    assert feeds["more"].files == "more-{day}.csv"


BOMB = "\n".join(
    ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    + [f"x{number}: &x{number} [{', '.join([f'*x{number - 1}'] * 10)}]" for number in range(1, 9)]
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{BOMB}\n{toy.PIPELINE}", "holds more than 100,000 values, aliases counted as what they stand for"),
        (toy.PIPELINE.replace("tags: [test]", "tags: &own [*own]"), "an alias stands within what it names"),
        (f"{toy.PIPELINE}\n---\nname: other\n", "expected a single document"),
        ("# " + "x" * (2 << 20), "holds 2 MiB, at most 2 are read"),
        (toy.PIPELINE.replace("owner: tests", "owner: !!python/name:os.system"), "could not determine a constructor"),
    ],
)
def test_a_file_that_is_more_than_it_looks_like_is_refused(toy_settings: Settings, text: str, says: str) -> None:
    assert says in _refusal(toy_settings, text)


def test_a_value_of_many_parts_is_quoted_by_its_first_ones(toy_settings: Settings) -> None:
    message = _refusal(toy_settings, toy.PIPELINE.replace("tags: [test]", f"tags: [{['x'] * 50_000}]"))
    assert "tags.0: Input should be a valid string (got ['x', 'x'" in message
    assert len(message) < 500


def test_what_is_no_file_is_refused_and_not_waited_for(toy_settings: Settings) -> None:
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match=r"pipeline\.yaml: is not a file"):
        load_pipeline("toy", toy_settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty or not a mapping"),
        ("- name: toy", "is empty or not a mapping"),
        ("just words", "is empty or not a mapping"),
        ("name: [toy", "not readable as YAML"),
        ("name: !!python/object/apply:os.system [true]", "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(toy_settings: Settings, text: str, says: str) -> None:
    assert says in _refusal(toy_settings, text)


def test_a_file_that_is_not_utf_8_is_refused(toy_settings: Settings) -> None:
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_bytes(toy.PIPELINE.replace("tests", "tësts").encode("latin-1"))
    with pytest.raises(ConfigError, match=r"pipeline\.yaml:3: byte 0xeb is not UTF-8: save the file in that encoding"):
        load_pipeline("toy", toy_settings)


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_what_an_editor_puts_in_front_of_a_file_and_at_its_lines_ends_changes_nothing(
    toy_settings: Settings, change: Any
) -> None:
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    plain = load_pipeline("toy", toy_settings)
    path.write_bytes(change(toy.PIPELINE).encode())
    assert load_pipeline("toy", toy_settings) == plain


def test_a_folder_with_another_name_than_the_pipeline_is_refused(toy_settings: Settings) -> None:
    data = _declaration() | {"name": "toys"}
    assert "name: 'toys' differs from its folder 'toy'" in _refusal(toy_settings, data)


def test_an_unknown_pipeline_is_refused_with_the_nearest_declared(toy_settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"unknown pipeline 'tou'.*did you mean 'toy'\?.*declared below .*: toy"):
        load_pipeline("tou", toy_settings)


@pytest.mark.parametrize("name", ["../pipelines/toy", "", ".", "x" * 5000, "toy\0"])
def test_a_name_is_a_name_and_no_path(toy_settings: Settings, name: str) -> None:
    with pytest.raises(ConfigError, match="unknown pipeline"):
        load_pipeline(name, toy_settings)


def test_no_declared_pipeline_is_an_empty_list(tmp_path: Path) -> None:
    assert load_pipelines(load_settings(project_dir=tmp_path)) == ()


def test_a_declaration_cannot_be_changed_after_it_was_read(toy_settings: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        toy.toy_pipeline(toy_settings).owner = "somebody"


def test_a_feed_may_bring_its_own_known_at(toy_settings: Settings) -> None:
    data = _declaration()
    data["feeds"]["jobs"]["columns"]["known_at"] = "timestamp"
    data["feeds"]["jobs"]["known_at"] = "known_at"
    assert _load(toy_settings, data).feeds["jobs"].known_at == "known_at"


def test_an_unchanged_file_is_checked_once_and_an_edit_is_seen(toy_settings: Settings) -> None:
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    first, text = load_pipeline("toy", toy_settings), path.read_text()
    assert load_pipeline("toy", toy_settings) is first
    path.write_text(text.replace("owner: tests", "owner: other"))
    assert load_pipeline("toy", toy_settings).owner == "other"
    path.write_text(text.replace("owner: tests", "ownr: other"))
    for _ in range(2):
        with pytest.raises(ConfigError, match="ownr"):
            load_pipeline("toy", toy_settings)
    path.write_text(text)
    assert load_pipeline("toy", toy_settings) == first
