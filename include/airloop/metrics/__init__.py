"""Metrics: how good predictions are, one file a metric. Read at every parse: numpy is imported when one measures."""
