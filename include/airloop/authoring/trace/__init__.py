"""Where a prediction comes from: files, rows, feature values, code, model, decision, approver."""

from airloop.authoring.trace.trace import Trace, trace

__all__ = ["Trace", "trace"]
