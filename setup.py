"""What pyproject.toml cannot say: files of the clone that the wheel carries for `airloop init`."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
LOCKS = "airloop/locks"
SHIPPED = "airloop_platform/project/shipped"
CARRIED = {
    "requirements/*.lock": LOCKS,
    "dags/airloop_*_dag.py": f"{SHIPPED}/dags",
    "plugins/airloop_plugin.py": f"{SHIPPED}/plugins",
    "feature_repo/feature_store.yaml": f"{SHIPPED}/feature_repo",
    "examples/*": f"{SHIPPED}/examples",
    "docker-compose.yml": SHIPPED,
    ".env.example": SHIPPED,
}


class CarryFiles(build_py):
    """An editable installation has these files where they are."""

    def run(self) -> None:
        """Build as usual, then copy."""
        super().run()
        if self.editable_mode:
            return
        for pattern, folder in CARRIED.items():
            target = Path(self.build_lib) / folder
            target.mkdir(parents=True, exist_ok=True)
            for path in sorted(ROOT.glob(pattern)):
                shutil.copyfile(path, target / path.name)


setup(cmdclass={"build_py": CarryFiles})
