"""What a label means: a digest of all that makes one, told apart by its content and not by its layout."""

from airloop.config import Pipeline
from airloop.features import sections, sql_text
from airloop.records.digests import digest
from airloop.settings import Settings


def fingerprint(pipeline: Pipeline, settings: Settings) -> str:
    """SHA-256 over the query of the labels, which reads feeds alone, and what no outcome means.

    Of the query count the tokens: comments and white space outside literals change nothing.
    """
    (labels,) = (section for section in sections.read_sections(pipeline, settings) if section.kind == "labels")
    absent = pipeline.prediction.labels
    return digest([sql_text.tokens(labels.sql), None if absent is None else absent.model_dump(mode="json")])
