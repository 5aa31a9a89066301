"""Keeping a pipeline's home small: files put together, what was replaced removed."""
