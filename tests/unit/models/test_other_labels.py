"""A version whose labels mean something else today is not used, nor compared; the same labels by another query are."""

from pathlib import Path

import pytest
from tests.support import toy, toy_turned

from airloop.config.prediction import AbsentLabels
from airloop.errors import GuardRefused
from airloop.features import label_meaning
from airloop.models import model_version
from airloop.models.model_version import other_labels
from airloop.settings import Settings
from airloop.stores import ledger

LABEL = "SELECT job, failed::DOUBLE AS label, known_at FROM failures"
TURNED = "SELECT job, 1 - failed::DOUBLE AS label, known_at FROM failures"


def asking(settings: Settings, root: Path, query: str) -> Settings:
    """The same home, whose labels are made by another query."""
    return toy.edited(settings, root / "edited", "features.sql", LABEL, query)


def said_of(settings: Settings, version: int = 1) -> str:
    pipeline = toy.toy_pipeline(settings)
    return other_labels(pipeline, model_version.load_version(pipeline, version, settings), settings)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT job, -- which\n  failed::DOUBLE   AS label, /* since when */ known_at FROM failures",
        "SELECT job, CAST(failed AS DOUBLE) AS label, known_at FROM failures",
        "SELECT job, CASE WHEN failed THEN 1.0 ELSE 0.0 END AS label, known_at FROM failures ORDER BY job",
    ],
)
def test_the_same_labels_by_another_query_are_the_same(turned: Settings, tmp_path: Path, query: str) -> None:
    settings = asking(turned, tmp_path, query)
    assert said_of(settings) == ""
    assert model_version.load_serving(toy.toy_pipeline(settings), 1, settings).version == 1


def test_the_same_words_need_no_look_at_any_row(turned: Settings, tmp_path: Path) -> None:
    settings = asking(turned, tmp_path, LABEL.replace("SELECT", "SELECT -- one row a job\n"))
    nowhere = settings.model_copy(update={"lake_uri": str(tmp_path / "nowhere")})
    assert said_of(nowhere) == ""


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (TURNED, r"900 of 900 rows of its holdout have another label today \(0 and 1 are turned round\)"),
        (
            "SELECT job, (failed AND job < 'j015')::DOUBLE AS label, known_at FROM failures",
            r"\d+ of 900 rows of its holdout have another label today",
        ),
        (f"{LABEL} WHERE job < 'j015'", r"\d+ of 900 rows of its holdout have another label today"),
        (f"{LABEL} WHERE false", "gives none of the 900 labelled rows of its holdout a label"),
        ("SELECT job, broken::DOUBLE AS label, known_at FROM failures", "cannot be compared with those: .*broken"),
    ],
)
def test_other_labels_are_refused_where_the_version_is_loaded_with_the_way_out(
    turned: Settings, tmp_path: Path, query: str, says: str
) -> None:
    settings = asking(turned, tmp_path, query)
    pipeline = toy.toy_pipeline(settings)
    for load in (model_version.load_serving, model_version.load_champion):
        with pytest.raises(GuardRefused, match=says) as refused:
            load(pipeline, 1, settings)
        assert "restore the section `-- labels`, or run a training" in str(refused.value)


def test_what_no_outcome_means_is_part_of_what_a_label_means(turned: Settings) -> None:
    pipeline = toy.toy_pipeline(turned)
    absent = {"labels": AbsentLabels(absent_after_days=1, means=1)}
    declared = pipeline.model_copy(update={"prediction": pipeline.prediction.model_copy(update=absent)})
    held = model_version.load_version(pipeline, 1, turned)
    # Each of the toy's jobs has an outcome: another declaration that changes no label is the same.
    assert label_meaning.fingerprint(declared, turned) != label_meaning.fingerprint(pipeline, turned)
    assert other_labels(declared, held, turned) == ""


def test_a_version_of_an_older_airloop_says_nothing_of_its_labels(turned: Settings, tmp_path: Path) -> None:
    older = toy_turned.registered(turned, "without labels", labels_fingerprint="")
    assert said_of(asking(turned, tmp_path, TURNED), older) == ""


def test_a_champion_of_turned_labels_scores_nothing_until_the_next_one_is_judged_by_floors(
    turned: Settings, tmp_path: Path
) -> None:
    settings = asking(toy.copied(turned, tmp_path / "project"), tmp_path, TURNED)
    for stage in ("score", "monitor"):
        with pytest.raises(GuardRefused, match="turned round"):
            toy.run(stage, settings, toy.days(50, 51))
    decision = toy.run_training(settings, toy_turned.NEW)
    assert decision.passed
    assert "turned round" in decision.not_comparable
    assert (decision.champion_version, decision.evidence) == (1, ())
    toy.run("promote", settings, toy_turned.CUTOFF)
    assert ledger.champion_at(settings, "toy", toy_turned.CUTOFF.end) == decision.version
    assert said_of(settings, decision.version) == ""


def test_where_the_labels_are_the_same_the_champion_scores_and_is_compared(turned: Settings, tmp_path: Path) -> None:
    settings = toy.copied(turned, tmp_path / "project")
    assert toy.run("score", settings, toy.days(50, 51)).rows == toy.ROWS_A_DAY
    decision = toy.run_training(settings, toy_turned.NEW)
    assert (decision.not_comparable, bool(decision.evidence)) == ("", True)
