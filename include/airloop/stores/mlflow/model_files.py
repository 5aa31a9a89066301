"""The files of a registered model: what may lie in its folder, its digest, and the only way a model is loaded.

Nothing a model's folder says about itself decides how it is loaded: a scikit-learn pipeline is read from model.skops by
airloop's own list of types (airloop.stores.mlflow.model_types). Pickles, custom loaders and code beside the model are
refused unread.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airloop.errors import GuardRefused

if TYPE_CHECKING:  # a prediction service compares digests and needs no data frames
    import pandas as pd

MODEL = "model.skops"
RECORD = "airloop.json"
"""What the model was made from, kept beside it, so that the digest covers it."""

FORM = "serving_form.npz"
"""The model without data frames, as airloop.models.forms.written writes it; versions of an older airloop have none."""

_DESCRIPTION = "MLmodel"
_EXAMPLE = "input_example.json"
_REQUIRED = (MODEL, _DESCRIPTION)
_KNOWN = frozenset(
    {
        *_REQUIRED,
        RECORD,
        FORM,
        _EXAMPLE,
        "conda.yaml",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    }
)
# MLflow writes it into a folder that it downloads: it says where the copy came from.
_OF_THE_COPY = "registered_model_meta"
_FLAVORS: dict[str, dict[str, Any]] = {
    "sklearn": {"pickled_model": MODEL, "serialization_format": "skops", "code": None},
    "python_function": {"loader_module": "mlflow.sklearn", "model_path": MODEL},
}

Files = Mapping[str, bytes]


def read(folder: Path) -> dict[str, bytes]:
    """The files of a model's folder by their path in it, read once: what is checked is what is loaded."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if name != _OF_THE_COPY}


def write(files: Files, folder: Path) -> None:
    """Write files that were read and compared into an empty folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def digest(files: Files) -> str:
    """SHA-256 over names and contents of all files of a model."""
    content = "".join(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files))
    return hashlib.sha256(content.encode()).hexdigest()


def load(files: Files, reviewed: frozenset[str] = frozenset()) -> Any:
    """The scikit-learn pipeline of a model's files.

    Args:
        reviewed: Classes that the pipeline's declaration trusts beyond the list (Training.reviewed_types).

    Raises:
        GuardRefused: A file is missing or is not one airloop saves, the description names another format, another
            loader or code, or the model holds a type that is not on the list, or is broken. Nothing of it has run.
    """
    _refuse_strange_files(files)
    _refuse_strange_description(files[_DESCRIPTION])
    return loaded(files[MODEL], reviewed)


def loaded(content: bytes, reviewed: frozenset[str] = frozenset()) -> Any:
    """The scikit-learn pipeline of one skops file.

    Raises:
        GuardRefused: It holds a type that is not on the list, or is broken. Nothing of it has run.
    """
    from skops.io import loads

    from airloop.stores.mlflow.model_types import ALLOWED_TYPES, strange_types

    try:
        strange = strange_types(content, reviewed)
    except ValueError as error:
        raise GuardRefused(f"{MODEL} does not load: {error}") from error
    if strange:
        raise GuardRefused(
            f"{MODEL} holds {strange[0]}, not on the allow-list of airloop.stores.mlflow.model_types, nor among "
            "trusted_types of the pipeline's candidates: it is not loaded"
        )
    try:
        return loads(content, trusted=sorted(ALLOWED_TYPES | reviewed))
    except Exception as error:  # whatever a broken file raises: a model that does not load is refused, not retried
        raise GuardRefused(f"{MODEL} does not load: {type(error).__name__}: {error}") from error


def dumped(model: Any) -> bytes:
    """A scikit-learn pipeline as the content of one skops file."""
    from skops.io import dumps

    return bytes(dumps(model))


def input_example(files: Files) -> "pd.DataFrame":
    """The rows saved beside the model, with the types its signature declares.

    Raises:
        GuardRefused: There are none.
    """
    if _EXAMPLE not in files:
        raise GuardRefused("it has no input example to predict on")
    import pandas as pd

    try:
        content = json.loads(files[_EXAMPLE])
        frame = pd.DataFrame(content["data"], columns=content["columns"])
        signature = (_description(files[_DESCRIPTION]).get("signature") or {}).get("inputs") or "[]"
        texts = {item["name"] for item in json.loads(signature) if item["type"] == "string"}
        return frame.astype({name: "float64" for name in frame.columns if name not in texts})
    except (KeyError, TypeError, ValueError) as error:
        raise GuardRefused(f"{_EXAMPLE} cannot be read: {type(error).__name__}: {error}") from error


def _refuse_strange_files(files: Files) -> None:
    missing = [name for name in _REQUIRED if name not in files]
    strange = sorted(set(files) - _KNOWN)
    if strange:
        raise GuardRefused(
            f"its folder holds {strange[0]}, which airloop does not save beside a model: it is not loaded"
        )
    if missing:
        raise GuardRefused(f"its folder has no {missing[0]}; only skops is loaded, a pickle can run any code")


def _refuse_strange_description(text: bytes) -> None:
    flavors = _description(text).get("flavors")
    if not isinstance(flavors, dict) or not set(flavors) <= set(_FLAVORS) or "sklearn" not in flavors:
        raise GuardRefused(
            f"{_DESCRIPTION} has flavors {flavors if not isinstance(flavors, dict) else sorted(flavors)}, "
            f"not those of a model that airloop saved ({', '.join(_FLAVORS)}): it is not loaded"
        )
    for flavor, expected in _FLAVORS.items():
        declared = flavors.get(flavor)
        if declared is None:
            continue
        for key, value in expected.items():
            if declared.get(key) != value:
                raise GuardRefused(
                    f"{_DESCRIPTION} says {flavor}.{key}: {declared.get(key)!r}; only {value!r} is loaded"
                )
        if declared.get("code") is not None:
            raise GuardRefused(
                f"{_DESCRIPTION} says {flavor}.code: {declared['code']!r}; a model brings no code of its own"
            )


def _description(text: bytes) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise GuardRefused(f"{_DESCRIPTION} cannot be read: {type(error).__name__}") from error
    if not isinstance(content, dict):
        raise GuardRefused(f"{_DESCRIPTION} is not a description of a model")
    return content
