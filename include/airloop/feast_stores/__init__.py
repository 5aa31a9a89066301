"""Feast through its extension points: an offline store over the Delta lake, a batch engine, online writers."""
