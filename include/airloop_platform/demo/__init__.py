"""The demo: a year of real data goes through the running Airflow, month by month in data time."""

from airloop_platform.demo.loop import run_demo

__all__ = ["run_demo"]
