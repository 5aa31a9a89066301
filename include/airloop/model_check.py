"""`python -m airloop.model_check MODEL_URI`: can a fresh process load this model and predict with it?

Run by `promote` before an alias moves: what loads in the process that trained it may not load anywhere else. Exit code
0, or 1 and one line on stderr.
"""

import sys

from airloop.settings import apply_quiet_environment

_SHOWN_CHARACTERS = 500


def check_model(model_uri: str) -> int:
    """Load a scikit-learn model saved with skops and predict on its input example.

    Args:
        model_uri: Folder of the model, or any URI that MLflow resolves. Types outside the allow-list stored with the
            model are refused by skops.

    Returns:
        Rows predicted.

    Raises:
        ValueError: The model is pickled, has no input example, or predicts no probabilities.
    """
    import mlflow.artifacts
    import mlflow.sklearn
    import numpy as np
    from mlflow.models import Model

    folder = mlflow.artifacts.download_artifacts(model_uri)
    model = Model.load(folder)
    saved_as = model.flavors.get("sklearn", {}).get("serialization_format", "an unknown format")
    if saved_as != "skops":
        raise ValueError(f"it is saved as {saved_as}; only skops is loaded, a pickle can run any code")
    example = model.load_input_example(folder)
    if example is None:
        raise ValueError("it has no input example to predict on")
    probabilities = np.asarray(mlflow.sklearn.load_model(folder).predict_proba(example), dtype=float)
    if probabilities.shape != (len(example), 2) or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError(f"it predicts no probabilities of two classes: shape {probabilities.shape}, or NaN among them")
    return len(example)


def main(arguments: list[str]) -> int:
    """Exit code of the check; says in one line on stderr why it failed."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m airloop.model_check MODEL_URI\n")
        return 1
    apply_quiet_environment()
    try:
        check_model(arguments[0])
    except Exception as error:  # any failure means the same: this model must not serve
        line = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stderr.write(line[:_SHOWN_CHARACTERS] + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
