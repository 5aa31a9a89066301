"""One window of a pipeline's features.sql on two engines, compared value by value."""

from airloop.authoring.engine_proof.compare import ComparedSection, compare
from airloop.authoring.engine_proof.prove import newest_window, prove

__all__ = ["ComparedSection", "compare", "newest_window", "prove"]
