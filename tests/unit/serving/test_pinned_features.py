"""A champion whose features were edited or removed scores on by its own, or says why not and which way leads on."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.support import ledger_entries, toy, toy_arrays, toy_fleet
from tests.support.run_plainly import run_plainly
from tests.support.served_toy import CUTOFF

from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.features import pinned
from airloop.models import model_version
from airloop.models.model_version import loading
from airloop.records import Decision, Scored
from airloop.serving import score
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.mlflow import model_files, tracking

NEXT = toy.days(CUTOFF, CUTOFF + 1)
SQL, REPO, YAML = "features.sql", "toy.py", "pipeline.yaml"


@pytest.fixture(scope="module")
def championed(served_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Version 1 is in force from day 25 on, which has landed and was built."""
    settings = toy.copied(served_home, tmp_path_factory.mktemp("toy") / "project")
    toy.land(settings, days=range(CUTOFF, CUTOFF + 1))
    toy.run_data(settings, NEXT)
    return settings


@pytest.fixture
def settings(championed: Settings, tmp_path: Path) -> Settings:
    """The same registry with a ledger and a lake of its own."""
    shutil.copy(championed.home / "state.db", tmp_path / "state.db")
    shutil.copytree(championed.lake_uri, tmp_path / "lake")
    update = {"state_url": f"sqlite:///{tmp_path}/state.db", "lake_uri": str(tmp_path / "lake")}
    return championed.model_copy(update=update)


def edited(settings: Settings, root: Path, *changes: tuple[str, str, str]) -> Settings:
    """The home seen from a checkout in which texts differ, with the window built again from it."""
    (file, old, new), *more = changes
    found = toy.edited(settings, root, file, old, new)
    for file, old, new in more:
        folder = found.feature_repo_dir if file == REPO else found.pipelines_dir / "toy"
        toy_fleet.rewrite(folder / file, old, new)
    return found


def scored(settings: Settings) -> Scored:
    return run_plainly(score.score, Deployment(toy.toy_pipeline(settings), settings), NEXT)


def predictions(settings: Settings) -> pd.DataFrame:
    uri = score.predictions_uri(toy.toy_pipeline(settings), settings)
    return lake.read(uri, settings).to_pandas().sort_values("job").reset_index(drop=True)


WARMER = (SQL, "machine, celsius,", "machine, celsius * 1.8 + 32 AS celsius,")
SHORTER = (REPO, "timedelta(hours=3)", "timedelta(hours=1)")
GONE = (
    (SQL, "size AS job_size, ", ""),
    (REPO, ', Field(name="job_size", dtype=Float64)', ""),
)


@pytest.mark.parametrize("changes", [(WARMER,), (SHORTER,), GONE], ids=["edited", "ttl", "removed"])
def test_scoring_goes_on_with_the_features_that_the_version_learned_from(settings, tmp_path, changes) -> None:
    before = toy_copy(settings, tmp_path / "before")
    assert scored(before).by_pinned_features is False
    now = edited(settings, tmp_path / "edited", *changes)
    toy.run_data(now, NEXT)
    found = scored(now)
    assert (found.version, found.rows, found.by_pinned_features) == (1, toy.ROWS_A_DAY, True)
    pd.testing.assert_frame_equal(predictions(now), predictions(before))
    assert scored(now).appended == 0


def toy_copy(settings: Settings, root: Path) -> Settings:
    """The same with a lake of its own."""
    shutil.copytree(settings.lake_uri, root / "lake")
    return settings.model_copy(update={"lake_uri": str(root / "lake")})


def test_the_input_of_scoring_by_own_features_is_the_clean_rows(settings, tmp_path) -> None:
    now = edited(settings, tmp_path / "edited", WARMER)
    pipeline = toy.toy_pipeline(now)
    todays = score.inputs(Deployment(toy.toy_pipeline(settings), settings), NEXT).tables
    assert {name for name in todays.digests if name.startswith("clean/")} == {"clean/jobs"}
    before = score.inputs(Deployment(pipeline, now), NEXT)
    own = {name for name in before.tables.digests if name.startswith("clean/")}
    assert own == {"clean/jobs", "clean/heat", "clean/machines"}
    heat = Path(now.landing_uri) / "toy" / "heat" / f"{NEXT.start:%Y-%m-%d}.csv"
    text = heat.read_text()
    try:
        heat.write_text(text.replace(".", ".1", 1))
        for stage in ("ingest", "validate_raw"):
            toy.run(stage, now, NEXT)
        assert score.inputs(Deployment(pipeline, now), NEXT).tables != before.tables
    finally:
        heat.write_text(text)


def test_a_column_that_is_not_declared_any_more_is_refused_with_the_way_out(settings, tmp_path) -> None:
    now = edited(settings, tmp_path / "edited", *GONE, (YAML, ", size: integer", ""))
    with pytest.raises(GuardRefused, match=r"its own cannot be computed: (.|\n)*size") as refused:
        scored(now)
    assert "restore the definitions, or run a training" in str(refused.value)


def test_a_version_of_an_older_airloop_kept_none_and_says_so(settings, tmp_path, monkeypatch) -> None:
    def load(*arguments):
        return model_files_without_features(real(*arguments))

    real = model_version.version_files
    monkeypatch.setattr(loading, "version_files", load)
    monkeypatch.setattr(loading, "refuse_changed", lambda *_arguments, **_options: "")
    now = edited(settings, tmp_path / "edited", WARMER)
    with pytest.raises(GuardRefused, match=r"were not kept \(an older airloop trained it\); restore .* run a training"):
        scored(now)
    assert scored(settings).rows == toy.ROWS_A_DAY


def model_files_without_features(files: dict[str, bytes]) -> dict[str, bytes]:
    record = json.loads(files[model_files.RECORD])
    del record[model_version.PINNED]
    return {**files, model_files.RECORD: json.dumps(record).encode()}


def test_what_goes_through_python_is_not_kept(toy_settings: Settings) -> None:
    assert pinned.pin(toy.toy_pipeline(toy_settings), toy_settings).not_kept == ""
    toy_arrays.add_array(toy_settings)
    kept = pinned.pin(toy.toy_pipeline(toy_settings), toy_settings)
    assert "goes through transforms.py" in kept.not_kept
    assert pinned.Pinned.from_json(kept.to_json()) == kept
    with pytest.raises(GuardRefused, match=r"goes through transforms\.py"):
        pinned.frame(toy.toy_pipeline(toy_settings), NEXT, kept, toy_settings)


def test_the_way_out_works_a_training_on_todays_features_is_judged_by_the_floors_and_takes_over(
    settings, tmp_path
) -> None:
    now = edited(settings, tmp_path / "edited", *GONE, (YAML, "at_least: 0.7", "at_least: 0.55"))
    toy.run_data(now, toy.days(0, CUTOFF + 1))
    decision = toy.run_training(now, CUTOFF, reason_key="way out")
    assert isinstance(decision, Decision)
    assert decision.passed, decision.why
    assert "not comparable" in f"{decision.why} {[check.says for check in decision.checks]}"
    version = decision.version
    ledger_entries.put_in_force(now, "toy", version, NEXT.start, previous=1)
    found = scored(now)
    assert (found.version, found.by_pinned_features) == (version, False)
    assert tracking.client(now).get_model_version("toy", str(version)) is not None
