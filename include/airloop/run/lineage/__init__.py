"""Lineage: what each run of a stage read and wrote, as OpenLineage events in files below the home."""

from airloop.run.lineage.events import stage_run

__all__ = ["stage_run"]
