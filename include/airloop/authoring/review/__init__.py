"""Reviews of a changed pipeline before it is merged: check, leak check, and a short backtest against its champion.

from airloop.authoring import review

result = review.review_pipeline(name, settings, on_progress=print)
text = review.as_comment([result])
"""

from airloop.authoring.review.comment import as_comment, verdict
from airloop.authoring.review.declaration import changed_pipelines
from airloop.authoring.review.findings import Failure, Review
from airloop.authoring.review.git import Base, changed_files, find_base
from airloop.authoring.review.steps import review_pipeline

__all__ = [
    "Base",
    "Failure",
    "Review",
    "as_comment",
    "changed_files",
    "changed_pipelines",
    "find_base",
    "review_pipeline",
    "verdict",
]
