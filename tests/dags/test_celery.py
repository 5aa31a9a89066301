"""What is locked for production fits together: Airflow's Celery provider imports with the Celery beside it."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_celery_executor_can_be_imported(tmp_path: Path) -> None:
    program = "import airflow.providers.celery.executors.celery_executor"
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1:] if done.returncode else []) == (0, [])
