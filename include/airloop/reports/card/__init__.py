"""The model card of a registered version (Mitchell et al. 2019): what it is, on what it rests, and who let it in."""

from airloop.reports.card.content import content
from airloop.reports.card.page import page

__all__ = ["content", "page"]
