"""`pipelines check` of sound pipelines imports none of the libraries that take seconds."""

import subprocess
import sys

from airloop.settings import Settings

CHECK = """
import sys
from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import pipeline_names
from airloop.settings import load_settings
settings = load_settings()
for name in pipeline_names(settings):
    assert check_pipeline(name, settings)
print(*sorted({"great_expectations", "sklearn", "mlflow", "skops", "evidently", "optuna"} & set(sys.modules)))
"""


def test_sound_pipelines_are_checked_without_great_expectations_and_scikit_learn() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, check=True, cwd=Settings().project_dir
    )
    assert ran.stdout.strip() == ""
