"""`airloop pipelines check`: all that is wrong with a declaration in one answer, before anything of it runs."""

from airloop.authoring.pipeline_check.check import check_pipeline

__all__ = ["check_pipeline"]
