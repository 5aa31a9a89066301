"""Which project this process works for: the folder with dags/, plugins/, feature_repo/ and include/pipelines/.

The installed package lies elsewhere, so nothing is looked up beside its own files.
"""

import os
import sys
import tomllib
from pathlib import Path

from airloop.errors import ConfigError

LOCKS = Path(__file__).parent / "locks"
"""Exact versions of everything an installed airloop was tested with; a clone has them in requirements/."""


def find_project() -> Path:
    """The nearest folder, from the working directory upwards, that is a project.

    Where there is none: the folder above Airflow's dags folder, Airflow's home (there Astronomer's image has the
    project), or the clone that this airloop is run from.

    Raises:
        ConfigError: None of them is a project.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, *_airflows(), Path(__file__).resolve().parents[2]):
        if is_project(folder):
            return folder.resolve()
    raise ConfigError(
        f"{here}: no airloop project is here or above (a folder with feature_repo/feature_store.yaml and "
        "include/pipelines/, or a pyproject.toml with the table [tool.airloop]): go to yours, name it by "
        "AIRLOOP_PROJECT_DIR, or make one: airloop init DIR"
    )


def is_project(folder: Path) -> bool:
    """Whether a folder has the layout of a project, or says so in its pyproject.toml by a table [tool.airloop]."""
    if (folder / "feature_repo" / "feature_store.yaml").is_file() and (folder / "include" / "pipelines").is_dir():
        return True
    try:
        with (folder / "pyproject.toml").open("rb") as stream:
            tool = tomllib.load(stream).get("tool")
            return isinstance(tool, dict) and "airloop" in tool
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False


def make_importable(project_dir: Path) -> None:
    """Let modules below include/ be imported, as the declarations name them (`module:attribute`).

    Last on sys.path: a folder of the project shadows no library.
    """
    folder = str(project_dir / "include")
    if folder not in sys.path:
        sys.path.append(folder)


def _airflows() -> list[Path]:
    dags, home = os.environ.get("AIRFLOW__CORE__DAGS_FOLDER"), os.environ.get("AIRFLOW_HOME")
    return [*([Path(dags).parent] if dags else []), *([Path(home)] if home else [])]
