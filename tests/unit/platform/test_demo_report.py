"""The demo's report names the metrics its pipeline declares, in a unit a person can read."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.support import toy, toy_tasks, triage_months

from airloop.config import Pipeline, metrics_of
from airloop.records import Action, AfterPromotion, Decision, Evidence
from airloop.settings import Settings
from airloop_platform.replay import Period, report
from airloop_platform.replay.counterfactual import MonthWithoutRetraining

MARCH = toy.days(60, 91)
TITLES = {
    "binary": ("thousandths of Brier", "Brier, live", "ROC-AUC, live"),
    "regression": ("gains in MAE,", "MAE, live", "RMSE, live"),
    "multiclass": ("thousandths of log loss", "log loss, live", "accuracy, live"),
}
KINDS = pytest.mark.parametrize("kind", [*TITLES])


def declared(root: Path, kind: str) -> tuple[Pipeline, Settings]:
    repository = Settings().project_dir
    if kind == "binary":
        settings = toy.write_project(root / "project", repository)
    else:
        settings = toy_tasks.write_project(root / "project", repository, kind)
    return toy.toy_pipeline(settings), settings


def evidence(metric: str, gain: float) -> Evidence:
    return Evidence(metric, gain, gain / 2, gain * 2, 0.9, 0.2, 0.2 - gain, 1000, 31, 200, 7)


def month(pipeline: Pipeline) -> tuple[Period, MonthWithoutRetraining]:
    metrics = metrics_of(pipeline.prediction.task)
    proofs = tuple(evidence(metric, 0.25 if metric == "mae" else 0.0042) for metric in metrics)
    action = Action("retrain", "", "probe", MARCH.end, proofs[:1])
    decision = Decision("toy", 2, 1, "passed", "", (), proofs, "probe", "probe", MARCH.end)
    values = dict.fromkeys(metrics, 0.2)
    nothing = dict.fromkeys(f"{metric}{end}" for metric in metrics for end in ("", "_lower", "_upper"))
    after = AfterPromotion(2, 1, 7, MARCH, proofs)
    monitored = triage_months.month(3, window=MARCH, live=nothing, probe=(), after_promotion=after)
    period = Period(MARCH, 1234, 5, None, monitored, action, decision, answer="approved by anna")
    return period, MonthWithoutRetraining(MARCH, 2, values, {**values, metrics[0]: 0.3}, promoted=True)


def shown(table: Any) -> str:
    console = Console(width=250, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


@KINDS
def test_the_table_names_the_metrics_of_the_task(tmp_path: Path, kind: str) -> None:
    pipeline, _ = declared(tmp_path, kind)
    period, _ = month(pipeline)
    text = shown(report.summary_table(pipeline, [period]))
    assert [title for title in TITLES[kind] if title not in text] == []
    gain = "+0.2 [+0.1, +0.5]" if kind == "regression" else "+4.2 [+2.1, +8.4]"
    assert text.count(gain) == 3
    assert "approved by anna" in text


@KINDS
def test_the_loop_is_compared_with_its_first_version_on_every_metric(tmp_path: Path, kind: str) -> None:
    pipeline, settings = declared(tmp_path, kind)
    _, without = month(pipeline)
    lines = report.never_retrained_lines(pipeline, [without])
    assert len(lines) == 2
    assert lines[0].endswith("0.2000 with the loop, 0.3000 had the first champion never been retrained")
    picture = report.write_picture(pipeline, [without, without], settings)
    assert picture is not None
    assert picture.stat().st_size > 10_000


def test_without_any_month_there_is_nothing_to_compare(tmp_path: Path) -> None:
    pipeline, settings = declared(tmp_path, "binary")
    assert report.never_retrained_lines(pipeline, []) == []
    assert report.write_picture(pipeline, [], settings) is None
