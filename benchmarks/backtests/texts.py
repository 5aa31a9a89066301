"""`python -m benchmarks.backtests.texts`: what reading free text gains on real data, films and how they are reviewed.

The pipeline is the one that `airloop pipelines new` writes from the table, but for `holdout_days`: of films four weeks
are too few to judge on, so that a fold is a year. Each January a model is searched and trained on all films before it,
by the same families without the text columns that were found in the table, with them, and with TEXTS, and says of each
film of the year whether its reviews will be good. A column of TEXTS that was found to be of categories is one until it
is read by its words.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airloop.settings import load_settings
from benchmarks.backtests import commands

if TYPE_CHECKING:
    import pandas as pd

    from airloop.config import Pipeline
    from airloop.records import TunedCandidate

CLONE = Path(__file__).parents[2]
NAME = "film_reviews"
YEARS = range(2008, 2015)
CHOSEN = "chosen"
TEXTS = ("title", "genres", "directors", "writers", "actors")
_FOLD_DAYS = 365
_NO_FEATURES = ("decision_time", "label")


def main(_arguments: list[str]) -> int:
    """0."""
    from airloop.models import evidence
    from airloop.models.bootstrap import Bootstrap

    pipeline, rows, features = declared(load_settings().home)
    inferred = pipeline.training.text
    others = [name for name in rows if name not in (*features, *_NO_FEATURES, pipeline.prediction.entity_key)]
    without = years(with_training(pipeline, text=()), rows.drop(columns=[*others, *inferred]))
    labels, days = without["label"], evidence.utc_days(without["decision_time"])
    print(f"features of the table: {', '.join(features)}; read by their words: {', '.join(inferred)}")
    print(f"{NAME}: {len(rows)} films, asked about {len(labels)}, of which {labels.mean():.0%} have good reviews")
    for texts in (inferred, TEXTS):
        used = years(with_training(pipeline, text=texts), rows.drop(columns=[*{*others} - {*texts}]))
        print(f"read by their words: {', '.join(texts)}")
        for family in (CHOSEN, *pipeline.training.candidates):
            for metric in ("brier", "roc_auc"):
                found = evidence.compare(
                    labels, without[family], used[family], days, metric=metric, bootstrap=Bootstrap(0.95, 1000, 1)
                )
                gain = f"{found.gain:+.4f} [{found.lower:+.4f}, {found.upper:+.4f}]"
                says = f"without {found.champion:.4f}, with {found.candidate:.4f}, gain {gain}"
                print(f"  {family}: {metric} {says}", flush=True)
    return 0


def years(pipeline: "Pipeline", rows: "pd.DataFrame") -> "pd.DataFrame":
    """The films of YEARS; in CHOSEN, and in a column of each family, what was said of it at its year's begin."""
    import pandas as pd

    from airloop.models import choice, estimators, vote
    from airloop.models.partners import partner_of
    from airloop.problems import task_of

    parts = []
    for year in YEARS:
        begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        time = rows["decision_time"]
        learned = rows[time < begin - pipeline.prediction.label_delay].reset_index(drop=True)
        asked = rows[(time >= begin) & (time < end)].reset_index(drop=True)
        tuned, answers = searched(pipeline, learned)
        best = vote.tried(pipeline, tuned, choice.choose(tuned, None), learned, answers).chosen
        said = {}
        for name, one in {CHOSEN: best, **{one.candidate: one for one in tuned}}.items():
            model = estimators.fitted_model(pipeline, one.candidate, one.params, learned)
            said[name] = task_of(pipeline).predict(model, asked[estimators.feature_columns(pipeline, asked)])
        parts.append(asked.assign(**said))
        commands.say(f"{year}: {len(learned)} films, {best.candidate}{' and another' * bool(partner_of(best.params))}")
    return pd.concat(parts, ignore_index=True)


def searched(pipeline: "Pipeline", rows: "pd.DataFrame") -> "tuple[list[TunedCandidate], dict[str, Any]]":
    """The best of each family, and what it said of the folds."""
    from airloop.models.fold_answers import FoldAnswers
    from airloop.models.tune import search_of
    from airloop.records import TunedCandidate

    tuned, answers = [], {}
    for name in pipeline.training.candidates:
        said = FoldAnswers()
        search = search_of(pipeline, name, rows, answers=said)
        answers[name] = said.of(search["params"], len(search["fold_scores"]))
        trials, scores = len(search["trials"]), tuple(search["fold_scores"])
        tuned.append(TunedCandidate(name, search["params"], search["score"], trials, search["seconds"], "", scores))
    return tuned, answers


def with_training(pipeline: "Pipeline", **changed: Any) -> "Pipeline":
    """The declaration with other keys of `training`."""
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update=changed)})


def declared(home: Path) -> "tuple[Pipeline, pd.DataFrame, list[str]]":
    """The pipeline, its table as a training frame (entity key, decision_time, all columns, label), its features."""
    from airloop.authoring.scaffold import new_pipeline
    from airloop.authoring.scaffold.named_roles import NamedRoles
    from airloop.config import load_pipeline
    from airloop.features import feature_store
    from airloop.sources.land_dialect import Dialect
    from benchmarks.backtests import place
    from benchmarks.backtests.tables import film_reviews

    root = home / "backtests"
    root.mkdir(parents=True, exist_ok=True)
    rows = film_reviews(place.packages(root, CLONE))
    with tempfile.TemporaryDirectory(prefix="airloop-films-") as folder:
        path = Path(folder) / f"{NAME}.csv"
        rows.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")
        settings = load_settings(project_dir=place.project(Path(folder), CLONE), home=Path(folder) / "home")
        new_pipeline(NAME, path, NamedRoles(label="good"), Dialect(None, ()), settings)
        pipeline = load_pipeline(NAME, settings)
        features = list(feature_store.feature_names(pipeline, settings))
    frame = rows.to_pandas().rename(columns={"released": "decision_time", "good": "label"})
    frame = frame[[pipeline.prediction.entity_key, "decision_time", *dict.fromkeys((*features, *TEXTS)), "label"]]
    frame["minutes"] = frame["minutes"].astype("float64")
    return with_training(pipeline, holdout_days=_FOLD_DAYS), frame.astype({"label": "float64"}), features


if __name__ == "__main__":
    commands.start(main)
