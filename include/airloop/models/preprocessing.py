"""What a candidate's columns become before its estimator sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.utils import get_tags

from airloop.config import OF_VALUES, Pipeline
from airloop.errors import ConfigError
from airloop.models.documents import COMPONENTS, Documents

_TARGET_FOLDS = 5


@dataclass(frozen=True)
class Columns:
    """A model's columns by what they are; `documents` are those that training.text names."""

    texts: Sequence[str]
    numbers: Sequence[str]
    documents: Sequence[str]


def encoder(pipeline: Pipeline, kind: str, estimator: Any, columns: Columns) -> ColumnTransformer:
    """The unfitted encoder of a candidate (see airloop.models.estimators.new_model), documents behind the others.

    Documents are words, one column each, where the encoder is one_hot and the estimator takes a sparse matrix: a linear
    model weighs each word. Any other estimator gets COMPONENTS dense ones: trees cut one column at a time, and a word
    of ten thousand is zero in nearly all rows.

    Raises:
        ConfigError: The encoder needs labels, and the task has none.
    """
    sparse = kind == "one_hot" and get_tags(estimator).input_tags.sparse
    components, seed = None if sparse else COMPONENTS, pipeline.training.seed
    words = [(f"words of {name}", Documents(components, seed), name) for name in columns.documents]
    steps = _steps(pipeline, kind)
    plain = [
        (name, step, list(of)) for name, step, of in zip(_PLAIN, steps, (columns.texts, columns.numbers), strict=True)
    ]
    # A matrix with words is sparse whatever its rows hold, so that every fit sees the same kind.
    return ColumnTransformer([*plain, *words], sparse_threshold=1.0 if words and sparse else 0.3)


_PLAIN = ("texts", "numbers")


def _steps(pipeline: Pipeline, kind: str) -> tuple[Any, Any]:
    """What texts, and what numbers go through."""
    if kind == "target":
        if pipeline.prediction.task == "anomaly":
            raise ConfigError(
                f"{pipeline.name}/pipeline.yaml: encoder: target needs labels, and the task is anomaly: take ordinal"
            )
        target = "continuous" if pipeline.prediction.task in OF_VALUES else pipeline.prediction.task
        crosswise = KFold(_TARGET_FOLDS, shuffle=True, random_state=pipeline.training.seed)
        return TargetEncoder(target_type=target, cv=crosswise), "passthrough"
    if kind == "one_hot":
        return (
            OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=50, sparse_output=False),
            make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
        )
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1), "passthrough"
