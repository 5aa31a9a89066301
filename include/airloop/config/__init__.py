"""The declaration of a pipeline: one YAML file, read once into one frozen tree."""

from airloop.config.calendar import calendar_windows
from airloop.config.feed import Feed
from airloop.config.gate import Comparison, Floor
from airloop.config.loading import load_declared, load_pipeline, load_pipelines, pipeline_names
from airloop.config.metric import METRIC, METRICS, OF_VALUES, Metric, TaskKind, metrics_of
from airloop.config.monitoring import TriagePolicy
from airloop.config.pipeline import Pipeline
from airloop.config.training import Candidate

__all__ = [
    "METRIC",
    "METRICS",
    "OF_VALUES",
    "Candidate",
    "Comparison",
    "Feed",
    "Floor",
    "Metric",
    "Pipeline",
    "TaskKind",
    "TriagePolicy",
    "calendar_windows",
    "load_declared",
    "load_pipeline",
    "load_pipelines",
    "metrics_of",
    "pipeline_names",
]
