"""`airloop pipelines check`: all that is wrong with a declaration in one answer, before anything of it runs."""

from airloop.authoring.pipeline_check.check import check_pipeline
from airloop.authoring.pipeline_check.endless import in_time

__all__ = ["check_pipeline", "in_time"]
