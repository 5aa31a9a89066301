"""The types a model file may hold: airloop's own list, whatever MLflow or skops says of a file.

A skops file is a zip archive whose schema.json names a loader, a module and a class for each object. The schema is read
here as plain JSON before skops sees the file; skops then checks the same types a second time.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from sklearn.utils import all_estimators

# Holders of a framework's own text, of a classifier's correction, of a fit a quantile, of two models that answer
# together, of the words of a column: models are saved by these names, so they stay.
_OWN_TYPES = frozenset(
    {
        "airloop.models.balanced.Balanced",
        "airloop.models.quantile_fits.QuantileFits",
        "airloop.models.anomaly_scores.AnomalyScores",
        "airloop.models.calibrated.Calibrated",
        "airloop.models.documents.Documents",
        "airloop.models.soft_vote.VoteOfClassifiers",
        "airloop.models.soft_vote.VoteOfRegressors",
    }
) | frozenset(
    f"airloop.models.frameworks.{framework.lower()}.{framework}{kind}"
    for framework in ("LightGBM", "XGBoost")
    for kind in ("Classifier", "Regressor")
)
# What skops finds in our pipelines beyond its own safe list; anything else refuses to be saved or loaded. Each is a
# holder of numbers: neither its construction nor its state runs code of the file.
ALLOWED_TYPES = frozenset(
    {
        "functools.partial",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.model_selection._split.KFold",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils.validation.check_array",
    }
    | _OWN_TYPES
)
_LINKS = ("HalfLogitLink", "IdentityLink", "Interval", "LogitLink", "LogLink", "MultinomialLogit")
_LOSSES = (
    *("AbsoluteError", "ExponentialLoss", "HalfBinomialLoss", "HalfGammaLoss", "HalfMultinomialLoss"),
    *("HalfPoissonLoss", "HalfSquaredError", "HuberLoss", "PinballLoss"),
)
_COMPILED_LOSSES = (*_LOSSES, "HalfTweedieLoss", "HalfTweedieLossIdentity")
_GRADIENT_LOSSES = ("EpsilonInsensitive", "Hinge", "ModifiedHuber", "SquaredEpsilonInsensitive", "SquaredHinge")
_NUMBERS = frozenset(f"numpy.{kind.__name__}" for kind in np.sctypeDict.values())
_CONSTRUCTED = ALLOWED_TYPES | {
    *(f"sklearn._loss.link.{name}" for name in _LINKS),
    *(f"sklearn._loss.loss.{name}" for name in _LOSSES),
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
}
# Loader -> the names it may be given. A loader that calls a method or an operator of the file's choice is not here.
_NAMES_OF_LOADER: dict[str, frozenset[str]] = {
    "JsonNode": frozenset({"builtins.str"}),
    "BytesNode": frozenset({"builtins.bytes"}),
    "DictNode": frozenset({"builtins.dict", "collections.OrderedDict"}),
    "DefaultDictNode": frozenset({"collections.defaultdict"}),
    "ListNode": frozenset({"builtins.list"}),
    "SetNode": frozenset({"builtins.set"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "TypeNode": _NUMBERS | {f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "str", "tuple")},
    "NdArrayNode": _NUMBERS | {"numpy.ndarray"},
    "MaskedArrayNode": frozenset({"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"}),
    "DTypeNode": frozenset({"numpy.dtype"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "SparseMatrixNode": frozenset(
        f"scipy.sparse._{kind}.{kind}_{form}" for kind in ("csr", "csc") for form in ("matrix", "array")
    ),
    "PartialNode": frozenset({"functools.partial"}),
    "FunctionNode": frozenset({"sklearn.utils.validation.check_array"}),
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
    "LossNode": frozenset(
        {
            *(f"sklearn._loss._loss.Cy{name}" for name in _COMPILED_LOSSES),
            *(f"sklearn.linear_model._sgd_fast.{name}" for name in _GRADIENT_LOSSES),
        }
    ),
}


def strange_types(skops_file: bytes, reviewed: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The names in a skops file that are not on the list, sorted; empty when all are. Nothing is imported or built.

    Args:
        reviewed: Classes that the pipeline's declaration adds (`trusted_types` of a candidate): held as objects with
            their state, never called as a function or by a constructor of the file's choice.

    Raises:
        ValueError: It is not a skops file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(skops_file)) as archive:
            _refuse_larger_within(archive, len(skops_file))
            schema = json.loads(archive.read("schema.json"))
        return tuple(sorted({name for loader, name in _named(schema) if name not in _allowed(loader, reviewed)}))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"it is not a skops file: {type(error).__name__}: {error}") from error


def _refuse_larger_within(archive: zipfile.ZipFile, file_bytes: int) -> None:
    """Refuse an archive that unpacks to more than it holds; models are saved without compression.

    A few kilobytes could fill the memory otherwise: by compression, or by entries that share their bytes.
    """
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > file_bytes:
        raise ValueError(f"{file_bytes:,} bytes unpack to {unpacked:,}, and a model is saved without compression")


def _named(schema: Any) -> Iterator[tuple[str, str]]:
    """(loader, module.class) of every object of a schema, whatever it lies in."""
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "__loader__" in item and item["__loader__"] != "CachedNode":
                yield str(item["__loader__"]), f"{item['__module__']}.{item['__class__']}"
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _allowed(loader: str, reviewed: frozenset[str]) -> frozenset[str]:
    if loader == "ObjectNode":
        return _CONSTRUCTED | _estimators() | reviewed
    return _NAMES_OF_LOADER.get(loader, frozenset())


@cache
def _estimators() -> frozenset[str]:
    """scikit-learn's own estimators, by the module that defines them."""
    classes = (estimator for _, estimator in all_estimators())
    names = (f"{class_.__module__}.{class_.__qualname__}" for class_ in classes)
    return frozenset(name for name in names if name.startswith("sklearn."))
