"""The demo: a replay of the first months of a pipeline's source, as it is staged."""

from airloop_platform.demo.months import run_demo

__all__ = ["run_demo"]
