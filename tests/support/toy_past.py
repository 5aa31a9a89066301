"""A second pipeline beside the toy, `past`: the same jobs on a monthly calendar, whose files have all landed before."""

import shutil
from pathlib import Path

from tests.support import toy

from airloop.settings import Settings

NAME = "past"
MONTHS = range(121)
"""Days of January to April 2020."""
CHANGED = range(60, 121)
"""From March on machines bear more heat than before."""


def declare(settings: Settings) -> None:
    """Write the four files of `past` into the toy's checkout: one candidate, coverage beyond the data."""
    text = toy.PIPELINE
    second = text[text.index("\n                gradient_boosting") : text.index("}}}}\ngate") + 2]
    text = (
        text.replace(f",{second}", "")
        .replace("name: toy", f"name: {NAME}")
        .replace("calendar: daily", "calendar: monthly")
    )
    text = text.replace("end: 2020-03-01", "end: 2020-06-01").replace("margin_share: 0.0", "margin_share: 0.02")
    folder = settings.pipelines_dir / NAME
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").write_text(text)
    (folder / "features.sql").write_text(toy.FEATURES_SQL)
    (folder / "expectations.yaml").write_text(toy.EXPECTATIONS)
    (settings.feature_repo_dir / f"{NAME}.py").write_text(toy.DEFINITIONS.replace('path="toy/', f'path="{NAME}/'))


def land(settings: Settings, scratch: Path) -> None:
    """Four months of files at once; in the last two, what makes a job fail has changed."""
    elsewhere = settings.model_copy(update={"landing_uri": str(scratch)})
    toy.land(elsewhere, days=MONTHS)
    toy.land(elsewhere, days=CHANGED, shift=15)
    shutil.copytree(scratch / "toy", Path(settings.landing_uri) / NAME)
