"""The kinds of problems a declaration may name: airloop's by `prediction.task`, a project's own as `module:Class`."""

from airloop.config.families import Family

PROBLEM = Family("problem", "airloop.problems.problem:Task")
"""One of the project's own extends the class of its task: shapes, metrics and pictures stay those of the task."""
