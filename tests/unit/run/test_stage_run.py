"""A stage runs once per input: what it depends on changes its key, and nothing else does."""

import functools
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.support import toy
from tests.support.waiting import bound

from airloop.data import ingest
from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, UpstreamUnavailable
from airloop.features import validated
from airloop.records import Ingested, Record, Scored, TunedCandidate, Validated, Window
from airloop.run import stage_run, stages
from airloop.serving import score
from airloop.settings import Settings
from airloop.stores import lake, state

DAY = toy.days(0, 1)
FILE = "2020-01-01.csv"


@pytest.fixture
def landed(toy_settings: Settings) -> Settings:
    toy.land(toy_settings, days=range(2))
    return toy_settings


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Window]:
    """The windows for which ingest itself, not its stored record, was asked."""
    return _counted(monkeypatch, ingest, "ingest")


def _counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[Window]:
    seen: list[Window] = []
    function = getattr(module, name)

    @functools.wraps(function)
    def counted(*given: Any, **options: Any) -> Record:
        seen.append(given[1])
        return function(*given, **options)

    monkeypatch.setattr(module, name, counted)
    return seen


def _record(candidate: str, run_id: str = "") -> TunedCandidate:
    return TunedCandidate(candidate, params={}, score=0.0, trials=1, seconds=0.0, run_id=run_id)


def test_the_same_input_twice_calls_the_stage_once_and_gives_the_same_record(
    landed: Settings, calls: list[Window]
) -> None:
    first = toy.run("ingest", landed, DAY)
    assert toy.run("ingest", landed, DAY) == first
    assert isinstance(first, Ingested)
    assert calls == [DAY]


def test_another_window_is_another_input(landed: Settings, calls: list[Window]) -> None:
    for window in (DAY, toy.days(1, 2), toy.days(0, 2)):
        toy.run("ingest", landed, window)
    assert len(calls) == 3


def test_a_file_put_back_after_a_correction_is_read_again(landed: Settings, calls: list[Window]) -> None:
    path = Path(landed.landing_uri) / "toy" / "jobs" / FILE
    original = path.read_text()
    first = toy.run("ingest", landed, DAY)
    path.write_text("\n".join(original.splitlines()[:-1]) + "\n")
    toy.run("ingest", landed, DAY)
    path.write_text(original)
    last = toy.run("ingest", landed, DAY)
    assert len(calls) == 3
    assert [table.digest for table in last.tables] == [table.digest for table in first.tables]
    assert lake.read(last.tables[0].uri, landed).num_rows == toy.ROWS_A_DAY
    assert toy.run("ingest", landed, DAY) == last
    assert len(calls) == 3


def test_a_run_over_a_larger_window_does_not_make_the_smaller_ones_stand_for_it(
    landed: Settings, calls: list[Window]
) -> None:
    for window in (DAY, toy.days(0, 2), DAY, DAY):
        toy.run("ingest", landed, window)
    assert calls == [DAY, toy.days(0, 2), DAY]


def test_a_record_of_before_falls_when_a_later_input_began_to_write_and_was_killed(
    landed: Settings, calls: list[Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(landed.landing_uri) / "toy" / "jobs" / FILE
    original = path.read_text()
    first = toy.run("ingest", landed, DAY)
    path.write_text("\n".join(original.splitlines()[:-1]) + "\n")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(state, "save_record", killed)
    with pytest.raises(KeyboardInterrupt):
        toy.run("ingest", landed, DAY)
    monkeypatch.undo()
    assert Ingested.from_json(state.latest_records(landed, "toy", "ingest")[-1]) == first
    path.write_text(original)
    assert lake.read(first.tables[0].uri, landed).num_rows == toy.ROWS_A_DAY - 1
    toy.run("ingest", landed, DAY)
    assert lake.read(first.tables[0].uri, landed).num_rows == toy.ROWS_A_DAY


def test_a_stage_that_replaces_nothing_leaves_no_mark_when_it_fails(toy_settings: Settings) -> None:
    with pytest.raises(UpstreamUnavailable):
        toy.run("snapshot", toy_settings, toy.days(0, 40))
    state.save_record(toy_settings, "toy", "snapshot", input_key="a", window=DAY, record={"key": "a"})
    state.forget_overwritten(toy_settings, "toy", "snapshot", input_key="a", window=toy.days(0, 40))
    assert state.find_record(toy_settings, "toy", "snapshot", "a") == {"key": "a"}


@pytest.mark.parametrize(
    ("stage", "first"), [("validate_raw", "ingest"), ("build_features", "validate_raw"), ("train", "snapshot")]
)
def test_a_missing_upstream_names_the_stage_to_run(toy_settings: Settings, stage: str, first: str) -> None:
    with pytest.raises(ConfigError, match=rf"{stage} of toy .* needs the record of {first}: run {first} first"):
        toy.run(stage, toy_settings, DAY)


def test_an_unknown_stage_is_refused_with_the_known_ones(toy_settings: Settings) -> None:
    said = r"unknown stage 'digest'; did you mean 'ingest'\? \(stages: .*ingest, validate_raw"
    with pytest.raises(ConfigError, match=said):
        toy.run("digest", toy_settings, DAY)


@pytest.mark.parametrize(
    ("stage", "options", "says"),
    [
        ("ingest", {"mode": "live"}, r"ingest: .*'mode'.*its options: outcomes"),
        ("score", {"mood": "live"}, r"score: .*'mood'.*its options: mode"),
        ("tune", {}, r"tune: .*'candidate'.*its options: candidate"),
    ],
)
def test_options_a_stage_does_not_take_and_options_it_lacks_are_refused(
    toy_settings: Settings, stage: str, options: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        toy.run(stage, toy_settings, DAY, **options)


def test_missing_feast_definitions_are_the_authors_mistake(landed: Settings) -> None:
    (landed.feature_repo_dir / "toy.py").unlink()
    with pytest.raises(ConfigError, match=r"toy\.py: missing"):
        toy.run("ingest", landed, DAY)


def test_a_stage_that_fails_leaves_no_record_and_no_lock(landed: Settings, calls: list[Window]) -> None:
    path = Path(landed.landing_uri) / "toy" / "jobs" / FILE
    good = path.read_text()
    path.write_text("broken")
    with pytest.raises(DataContractError):
        toy.run("ingest", landed, DAY)
    assert state.latest_records(landed, "toy", "ingest") == []
    path.write_text(good)
    toy.run("ingest", landed, DAY)
    assert len(calls) == 2
    assert list((landed.home / "run" / "locks").iterdir()) == []


def test_two_runs_of_one_input_at_once_call_the_stage_once(landed: Settings, calls: list[Window]) -> None:
    first, second = _at_once(lambda _: toy.run("ingest", landed, DAY))
    assert first == second
    assert calls == [DAY]
    assert len(state.latest_records(landed, "toy", "ingest")) == 1


def test_two_candidates_of_one_window_do_not_wait_for_each_other(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=bound(30))

    def meet(_at: Any, window: Window, _reads: Any, *, mode: str = "live") -> Scored:
        together.wait()
        return Scored(window=window, version=1, role="", mode=mode, rows=0, appended=0, table_version=0)

    monkeypatch.setattr(score, "score", meet)
    monkeypatch.setattr(score, "inputs", lambda *_, **__: {})
    modes = ("live", "backtest")
    records = _at_once(lambda number: toy.run("score", toy_settings, DAY, mode=modes[number]))
    assert [record.mode for record in records] == list(modes)


def _at_once(function: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, range(2)))


def test_stored_upstream_takes_the_newest_record_of_exactly_the_window(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    for number, window in enumerate((DAY, DAY, toy.days(0, 2))):
        record = Ingested(window=window, files=(), tables=(), missing=(str(number),))
        state.save_record(toy_settings, "toy", "ingest", input_key=str(number), window=window, record=record.to_json())
    found = stage_run.stored_upstream("validate_raw", Deployment(pipeline, toy_settings), DAY)
    assert found["ingest"].missing == ("1",)
    assert stage_run.stored_upstream("validate_raw", Deployment(pipeline, toy_settings), toy.days(1, 2)) == {}


def test_stored_upstream_gives_the_newest_of_each_declared_candidate_in_their_order(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    first, second = pipeline.training.candidates
    tuned = [_record(second, "1"), _record(first, "1"), _record(second, "2"), _record("dropped", "1")]
    for number, record in enumerate(tuned):
        state.save_record(toy_settings, "toy", "tune", input_key=str(number), window=DAY, record=record.to_json())
    found = stage_run.stored_upstream("train", Deployment(pipeline, toy_settings), DAY)
    assert found["tune"] == (tuned[1], tuned[2])


@pytest.mark.parametrize("name", stages.STAGES)
def test_every_stage_is_there_needs_stages_before_it_and_of_options_a_candidate_at_most(name: str) -> None:
    stage = stages.STAGES[name]
    needed = {item.name: "x" for item in stage.options() if item.default is item.empty}
    assert set(needed) <= {"candidate"} or name == "roll_back"
    stage_run._refuse_options(name, stage, needed)
    order = list(stages.STAGES)
    assert all(order.index(need) < order.index(name) for need in stage.needs)
    assert issubclass(stage.record, Record)


def test_runs_that_replace_a_window_follow_each_other_whatever_their_options() -> None:
    replacing = [name for name, stage in stages.STAGES.items() if stage.replaces]
    assert replacing == ["ingest", "validate_raw", "build_features"]
    for name in replacing:
        assert stage_run._lock_parts(stages.STAGES[name], {"outcomes": "withheld"}) == []
    assert stage_run._lock_parts(stages.STAGES["tune"], {"candidate": "x"}) == ["candidate=x"]


def test_a_stored_record_comes_back_as_its_class(landed: Settings) -> None:
    toy.run("ingest", landed, DAY)
    toy.run("validate_raw", landed, DAY)
    assert isinstance(toy.run("validate_raw", landed, DAY), Validated)


def test_what_a_restored_lake_does_not_hold_is_done_again(landed: Settings, tmp_path: Path) -> None:
    first = toy.run("ingest", landed, DAY)
    toy.run("validate_raw", landed, DAY)
    shutil.rmtree(landed.lake_uri)
    with pytest.raises(UpstreamUnavailable, match=r"what validate_raw wrote is gone: .*Run toy__data for this window"):
        toy.run("build_features", landed, DAY)
    assert toy.run("ingest", landed, DAY) == first
    assert lake.read(first.tables[0].uri, landed).num_rows == first.tables[0].rows
    toy.run("validate_raw", landed, DAY)
    toy.run("build_features", landed, DAY)


def test_features_that_a_restored_lake_does_not_hold_are_not_read(landed: Settings) -> None:
    pipeline = toy.toy_pipeline(landed)
    toy.run_data(landed, DAY)
    assert validated.until(pipeline, DAY, landed) == DAY.end
    shutil.rmtree(f"{landed.lake_uri}/toy/features")
    with pytest.raises(UpstreamUnavailable, match="features are not built and validated from 2020-01-01"):
        validated.require(pipeline, DAY, landed)
