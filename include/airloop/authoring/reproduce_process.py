"""`python -m airloop.authoring.reproduce_process SETTINGS PIPELINE VERSION FILE`: fit again, write the predictions."""

import sys
from pathlib import Path

from airloop.settings import Settings, apply_quiet_environment


def main(arguments: list[str]) -> None:
    """Write the holdout predictions of a version that is fitted again, as .npy."""
    apply_quiet_environment()
    import numpy as np

    from airloop.authoring import reproduce
    from airloop.config import load_pipeline
    from airloop.feast_stores import feast_boot
    from airloop.models import model_version

    feast_boot.neutralise_typeguard()
    settings_file, name, version, path = arguments
    settings = Settings.model_validate_json(Path(settings_file).read_text())
    pipeline = load_pipeline(name, settings)
    model = model_version.load_version(pipeline, int(version), settings)
    np.save(path, reproduce.predict_again(pipeline, model, settings))


if __name__ == "__main__":
    main(sys.argv[1:])
