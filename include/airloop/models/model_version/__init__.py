"""A registered model version: its files as they were judged, what it was made from, and the guards on using it.

Whatever predicts with a version - scoring, evaluation, monitoring, reviews, the check before a promotion - takes it
from here: downloaded (an outage may be retried), its digest compared with the ledger's, then loaded by airloop's own
list of types (a version that does not load is refused).
"""

from airloop.models.model_version.files import files_at, version_files
from airloop.models.model_version.loading import (
    DIGEST,
    PINNED,
    WAY_OUT,
    load_champion,
    load_serving,
    load_unseen,
    load_version,
    version_snapshot,
)
from airloop.models.model_version.other_labels import other_labels
from airloop.models.model_version.version import ModelVersion

__all__ = [
    "DIGEST",
    "PINNED",
    "WAY_OUT",
    "ModelVersion",
    "files_at",
    "load_champion",
    "load_serving",
    "load_unseen",
    "load_version",
    "other_labels",
    "version_files",
    "version_snapshot",
]
