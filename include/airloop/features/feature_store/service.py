"""The features of the declared service, in the order in which models take them."""

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
from feast import FeatureService
from feast.types import from_feast_to_pyarrow_type

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.features.arrays import ArrayFeature, array_feature
from airloop.features.feature_store.definitions import definitions, place
from airloop.settings import Settings


def view_features(pipeline: Pipeline, settings: Settings) -> dict[str, tuple[str, ...]]:
    """View name -> its features as the declared service projects them, in order."""
    return {
        projection.name: tuple(field.name for field in projection.features)
        for projection in declared_service(pipeline, settings).feature_view_projections
    }


def key_names(pipeline: Pipeline, settings: Settings) -> dict[str, dict[str, str]]:
    """View name -> key column -> the name that the service asks for it by, of those that it renames."""
    projections = declared_service(pipeline, settings).feature_view_projections
    return {projection.name: dict(projection.join_key_map or {}) for projection in projections}


def array_features(pipeline: Pipeline, settings: Settings) -> dict[str, ArrayFeature]:
    """The array features among those that the service projects, by name."""
    return {
        field.name: array
        for projection in declared_service(pipeline, settings).feature_view_projections
        for field in projection.features
        if (array := array_feature(projection.name, field))
    }


def feature_names(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """The service's features in the order models take them; an array is as many features as it has elements.

    Raises:
        ConfigError: Two have the same name.
    """
    arrays = array_features(pipeline, settings)
    projected = [name for names in view_features(pipeline, settings).values() for name in names]
    names = tuple(flat for name in projected for flat in (arrays[name].columns if name in arrays else (name,)))
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ConfigError(
            f"{place(pipeline, settings, twice[0], pipeline.features.service)}: feature service "
            f"{pipeline.features.service!r}: two features are named {twice[0]!r}; "
            "an array's elements are named like the array with _0, _1, ... behind it"
        )
    return names


def shared_with_examples(pipeline: Pipeline, settings: Settings, columns: Iterable[str]) -> list[str]:
    """What is wrong with features that have the name of a column of the section examples, a sentence each.

    A training set is the examples with the features beside them: of two columns of one name only one could be there.
    """
    views = view_features(pipeline, settings)
    return [
        f"its column {column!r} has the name of a feature of view {view}, and a training set holds one column of a "
        f"name: give the feature another one (`{column} AS ...` in the view, and its Field in "
        f"feature_repo/{pipeline.name}.py), or leave the column out of examples where no view is keyed by it"
        for column in columns
        if column != pipeline.prediction.entity_key
        for view, features in views.items()
        if column in features
    ]


def ignored_in_drift(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """The features that features.ignore_drift names; an array's own name stands for all its elements.

    Raises:
        ConfigError: The service has no such feature.
    """
    arrays, names = array_features(pipeline, settings), feature_names(pipeline, settings)
    known = [*arrays, *names]
    for name in pipeline.features.ignore_drift:
        if name not in known:
            near = nearest(name, known)
            raise ConfigError(
                f"{pipeline.name}/pipeline.yaml: features.ignore_drift names {name!r}, which "
                f"{pipeline.features.service} lacks{near}"
            )
    ignored = pipeline.features.ignore_drift
    return tuple(flat for name in ignored for flat in (arrays[name].columns if name in arrays else (name,)))


def categorical_features(pipeline: Pipeline, settings: Settings) -> frozenset[str]:
    """The features that the service projects as text or flags; all others are numbers, whatever they look like."""
    kinds = _kinds(pipeline, settings)
    return frozenset(name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_boolean(kind))


def refuse_unfit_texts(pipeline: Pipeline, settings: Settings) -> None:
    """Refuse what training.text names and is no text.

    Raises:
        ConfigError: The service has no such feature, or its dtype is not String; a line each.
    """
    kinds, place = _kinds(pipeline, settings), f"{pipeline.name}/pipeline.yaml: training.text"
    wrong = []
    for name in pipeline.training.text:
        if name not in kinds:
            near = nearest(name, kinds)
            wrong.append(f"{place} names {name!r}, which {pipeline.features.service} lacks{near}")
        elif not pa.types.is_string(kinds[name]):
            wrong.append(
                f"{place} names {name!r}, which holds {kinds[name]} and no text: take it out, or make it a String in "
                f"feature_repo/{pipeline.name}.py"
            )
    if wrong:
        raise ConfigError("\n".join(wrong))


def _kinds(pipeline: Pipeline, settings: Settings) -> dict[str, pa.DataType]:
    """The Arrow type of each feature that the service projects, by name."""
    fields = (
        field
        for projection in declared_service(pipeline, settings).feature_view_projections
        for field in projection.features
    )
    return {field.name: from_feast_to_pyarrow_type(field.dtype) for field in fields}


def declared_service(pipeline: Pipeline, settings: Settings) -> FeatureService:
    """The feature service that features.service of the pipeline names."""
    service_name = pipeline.features.service
    defined = definitions(pipeline, settings)
    return next(item for item in defined if isinstance(item, FeatureService) and item.name == service_name)
