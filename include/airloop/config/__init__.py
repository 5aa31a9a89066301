"""The declaration of a pipeline: one YAML file, read once into one frozen tree."""

from airloop.config.calendar import calendar_windows
from airloop.config.feed import Feed
from airloop.config.loading import load_pipeline, load_pipelines, pipeline_names
from airloop.config.pipeline import Candidate, Comparison, Floor, Pipeline, TriagePolicy

__all__ = [
    "Candidate",
    "Comparison",
    "Feed",
    "Floor",
    "Pipeline",
    "TriagePolicy",
    "calendar_windows",
    "load_pipeline",
    "load_pipelines",
    "pipeline_names",
]
