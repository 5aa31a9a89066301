"""Feast, used through its extension points: the pipeline's definitions, its store, and a fingerprint of both."""

from airloop.feast_stores import feast_boot

feast_boot.neutralise_typeguard()  # before the modules below import Feast

from airloop.features.feature_store.definitions import (  # noqa: E402 (after the boot)
    definitions,
    place,
    view_arrays,
    view_keys,
    view_types,
    views,
)
from airloop.features.feature_store.fingerprint import fingerprint, fingerprint_like  # noqa: E402
from airloop.features.feature_store.opened import answering, open_store, stores  # noqa: E402
from airloop.features.feature_store.service import (  # noqa: E402
    array_features,
    categorical_features,
    feature_names,
    ignored_in_drift,
    key_names,
    refuse_unfit_texts,
    shared_with_examples,
    view_features,
)

__all__ = [
    "answering",
    "array_features",
    "categorical_features",
    "definitions",
    "feature_names",
    "fingerprint",
    "fingerprint_like",
    "ignored_in_drift",
    "key_names",
    "open_store",
    "place",
    "refuse_unfit_texts",
    "shared_with_examples",
    "stores",
    "view_arrays",
    "view_features",
    "view_keys",
    "view_types",
    "views",
]
