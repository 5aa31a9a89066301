"""airloop in Airflow: its pages, and the calendar of its DAGs."""

from airloop_airflow.calendar import CoverageCalendarPlugin
from airloop_airflow.plugin import AirloopPagesPlugin

__all__ = ["AirloopPagesPlugin", "CoverageCalendarPlugin"]
