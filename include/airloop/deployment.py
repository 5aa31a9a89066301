"""One pipeline on one installation: what every stage is told first."""

from dataclasses import dataclass

from airloop.config import Pipeline
from airloop.settings import Settings


@dataclass(frozen=True)
class Deployment:
    """A declaration, and where its landing folder, lake, state database and MLflow are."""

    pipeline: Pipeline
    settings: Settings
