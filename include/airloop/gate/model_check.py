"""`python -m airloop.gate.model_check FOLDER PROJECT [TYPE...]`: can a fresh process load this model and predict?

Run by `promote` before an alias moves: what loads in the process that trained it may not load anywhere else. Exit code
0, or 1 and one line on stderr.
"""

import sys
from pathlib import Path
from typing import Any

from airloop.project import make_importable
from airloop.settings import apply_quiet_environment

_SHOWN_CHARACTERS = 500


def check_folder(folder: str, reviewed: frozenset[str] = frozenset()) -> int:
    """Load a scikit-learn model by airloop's own list of types and predict on its input example.

    Args:
        folder: Folder with the files of a model.
        reviewed: Classes that the pipeline's declaration also trusts.

    Returns:
        Rows predicted.

    Raises:
        GuardRefused: The model does not load (see airloop.stores.mlflow.model_files), or has no input example.
        ValueError: It predicts none of what a task asks for: probabilities of at least two classes by a classifier,
            values by a regressor.
    """
    from airloop.stores.mlflow import model_files

    files = model_files.read(Path(folder))
    model, example = model_files.load(files, reviewed), model_files.input_example(files)
    _refuse_predictions(model, example)
    return len(example)


def _refuse_predictions(model: Any, example: Any) -> None:
    import numpy as np
    from sklearn.base import is_classifier

    if not is_classifier(model):
        values = np.asarray(model.predict(example), dtype=float)
        levels = getattr(model.steps[-1][1] if hasattr(model, "steps") else model, "levels", ())
        if values.shape != (len(example), len(levels))[: 1 + bool(levels)] or not np.isfinite(values).all():
            raise ValueError(f"it predicts no values: shape {values.shape}, or NaN or infinity among them")
        return
    chances = np.asarray(model.predict_proba(example), dtype=float)
    two_or_more = chances.ndim == 2 and chances.shape[1] >= 2
    if not two_or_more or not ((chances >= 0) & (chances <= 1)).all() or not np.allclose(chances.sum(axis=1), 1):
        raise ValueError(
            f"it predicts no probabilities of two classes or more: shape {chances.shape}, or NaN among them"
        )


def main(arguments: list[str]) -> int:
    """Exit code of the check; says in one line on stderr why it failed."""
    if len(arguments) < 2:
        sys.stderr.write("usage: python -m airloop.gate.model_check FOLDER PROJECT [TYPE...]\n")
        return 1
    apply_quiet_environment()
    folder, project, *reviewed = arguments
    make_importable(Path(project))
    try:
        check_folder(folder, frozenset(reviewed))
    except Exception as error:  # any failure means the same: this model must not serve
        line = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stderr.write(line[:_SHOWN_CHARACTERS] + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
