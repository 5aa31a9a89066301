"""What a person reads: one renderer, one style sheet, charts, and where a page is published."""

from airloop.reports.publish import publish, report_uri

__all__ = ["publish", "report_uri"]
