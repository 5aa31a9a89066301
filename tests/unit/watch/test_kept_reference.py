"""The kept reference: all rows count in it, few are read, it is made once, and a damaged one is made again."""

import dataclasses
import json
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from tests.support import toy
from tests.support.monitor_stand import Stand
from tests.support.watch_world import CATEGORIES, FEATURES, Watched, pipeline, watched

from airloop.errors import DataContractError, GuardRefused
from airloop.problems import PREDICTION
from airloop.stores import frames
from airloop.watch import kept_reference
from airloop.watch.drift import Reference, Sides, measure, reference
from airloop.watch.kept_reference import ROWS, KeptReference


def _reference(world: Watched, frozen: pd.DataFrame, **replaced: object) -> KeptReference:
    champion = dataclasses.replace(world.champion, **replaced)
    return kept_reference.opened(kept_reference.content(pipeline(), champion, frozen, CATEGORIES))


def test_drift_from_a_kept_reference_is_that_from_all_rows() -> None:
    world = watched()
    frozen = world.frozen.assign(engines=world.frozen["engines"].where(world.frozen.index % 3 > 0))
    learned = frozen.loc[frozen["part"] == "train", list(FEATURES)]
    scored = world.predicted(world.window(0)).replace({"carrier": {"AA": "new"}}).eval("delay = delay + 4")
    now, predictions = Sides(scored[list(FEATURES)], scored[PREDICTION]), world.champion.holdout_predictions[PREDICTION]
    of_all = measure(reference(Sides(learned, predictions, CATEGORIES)), now, ignore=(), threshold=0.1)
    kept = Reference(_reference(world, frozen).counts.columns, predictions)
    assert measure(kept, now, ignore=(), threshold=0.1) == of_all
    assert "delay" in of_all.drifted


def test_it_holds_some_thousand_rows_spread_over_all_that_was_learned_from() -> None:
    world = watched()
    many = pd.concat([world.frozen] * 3).sort_values("decision_time", ignore_index=True)
    train = many.loc[many["part"] == "train"].assign(delay=lambda rows: np.arange(len(rows), dtype="float64"))
    known = _reference(world, pd.concat([train, many.loc[many["part"] == "holdout"]], ignore_index=True))
    assert (len(known.learned), len(known.held_out)) == (ROWS, ROWS)
    assert known.counts.columns["delay"].rows == len(train) > 3 * ROWS
    steps = known.learned["delay"].diff().dropna()
    assert (steps.min(), steps.max()) == (len(train) // ROWS, len(train) // ROWS + 1)


def test_the_reference_of_a_refit_is_all_that_it_learned_from() -> None:
    world = watched()
    known = _reference(world, world.frozen, refit_of=7)
    assert known.counts.columns["delay"].rows == len(world.frozen)
    assert known.digest != world.reference.digest


def test_it_is_made_once_and_no_later_look_reads_the_snapshot(make) -> None:
    stand: Stand = make()
    stand.score(toy.days(29, 49))
    with mock.patch.object(frames, "read", autospec=True, side_effect=frames.read) as reads:
        first = stand.monitor()
        assert [call.args[0].rsplit("/", 1)[-1] for call in reads.call_args_list] == ["snapshot.parquet"]
        assert stand.monitor() == first
        assert reads.call_count == 1
    (kept,) = Path(stand.settings.lake_uri).glob("toy/references/v3_*.parquet")
    assert kept_reference.opened(kept.read_bytes()).digest == first.reference_digest
    assert json.loads(Path(first.metrics_uri).read_text())["reference_digest"] == first.reference_digest
    assert first.reference_digest[:12] in Path(first.report_uri).read_text()


def test_a_damaged_reference_is_made_again_and_without_a_snapshot_there_is_none(make) -> None:
    stand: Stand = make()
    stand.score(toy.days(29, 49))
    first = stand.monitor()
    (kept,) = Path(stand.settings.lake_uri).glob("toy/references/v3_*.parquet")
    sound = kept.read_bytes()
    kept.write_bytes(sound[:-100])
    assert stand.monitor() == first
    assert kept.read_bytes() == sound
    kept.unlink()
    champion = stand.champion()
    Path(champion.snapshot.uri).unlink()
    with pytest.raises(GuardRefused, match=r"snapshot\.parquet is gone"):
        kept_reference.reference_of(stand.pipeline, champion, ("machine_code",), stand.settings)


def test_a_file_of_something_else_is_not_read_as_a_reference(tmp_path: Path) -> None:
    pd.DataFrame({"side": ["learned"]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataContractError, match="not a reference"):
        kept_reference.opened((tmp_path / "other.parquet").read_bytes())
