"""Landed to clean: ingest, validate, profile, and the inbox that says what waits."""
