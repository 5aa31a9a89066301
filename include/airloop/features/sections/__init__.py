"""features.sql: its named sections, run over the lake's clean feeds, seeing only what was known in time."""

from airloop.features.sections.known_feeds import (
    empty_feed,
    feeds_for,
    feeds_of_features,
    feeds_read,
    load_feeds,
    only_known_by,
)
from airloop.features.sections.refusals import located
from airloop.features.sections.running import connect, create_table, query
from airloop.features.sections.written import Section, feature_sections, read_sections, view_names

__all__ = [
    "Section",
    "connect",
    "create_table",
    "empty_feed",
    "feature_sections",
    "feeds_for",
    "feeds_of_features",
    "feeds_read",
    "load_feeds",
    "located",
    "only_known_by",
    "query",
    "read_sections",
    "view_names",
]
