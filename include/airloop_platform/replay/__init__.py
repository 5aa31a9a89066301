"""The past of a pipeline through the running Airflow, window by window in data time: `airloop replay`."""

from airloop_platform.replay.loop import replay
from airloop_platform.replay.period import Period

__all__ = ["Period", "replay"]
