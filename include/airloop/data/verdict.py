"""What both validations end in: their page, one log line per table, and the refusal of a window that failed."""

import logging
from collections.abc import Mapping, Sequence

from airloop import reports
from airloop.config import Pipeline
from airloop.data import validation_page
from airloop.data.judgement import Judgement
from airloop.data.validation_page import Remarks
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Window

logger = logging.getLogger(__name__)

_NO_REMARKS = Remarks()
_SHOWN_PROBLEMS = 5


def report(
    at: Deployment, window: Window, layer: str, judgements: Sequence[Judgement], remarks: Remarks = _NO_REMARKS
) -> str:
    """Write the page and its JSON, then refuse the window when a table failed; returns the URI of the page.

    Args:
        layer: `raw` or `features`.

    Raises:
        DataContractError: A table failed.
    """
    pipeline, settings = at.pipeline, at.settings
    place = (pipeline.name, "validation", layer)
    page = reports.report_uri(settings, *place, window=window, suffix=".html")
    content = validation_page.content(pipeline.name, layer, window, judgements, remarks)
    reports.publish(
        reports.report_uri(settings, *place, window=window, suffix=".json"), validation_page.to_json(content), settings
    )
    reports.publish(page, validation_page.to_html(content), settings)
    for judged in judgements:
        check = judged.check
        logger.info(
            "%s %s %s: %d rows, %d bad, warnings %s",
            pipeline.name,
            layer,
            judged.table,
            check.rows,
            check.bad_rows,
            check.warnings,
        )
    _refuse(pipeline, window, layer, problems=content["problems"], page=page)
    return page


def _refuse(pipeline: Pipeline, window: Window, layer: str, *, problems: Sequence[str], page: str) -> None:
    if problems:
        more = [f"... and {len(problems) - _SHOWN_PROBLEMS} more"] if len(problems) > _SHOWN_PROBLEMS else []
        shown = "\n".join(f"  {problem}" for problem in [*problems[:_SHOWN_PROBLEMS], *more])
        raise DataContractError(
            f"{pipeline.name} {window}: {layer} data break their contract, nothing was published:\n"
            f"{shown}\n  page: {page}"
        )


def parameters(window: Window, rows: Mapping[str, int]) -> dict[str, float]:
    """What a rule of expectations.yaml may name: `window_days`, and `<table>_rows` of each table."""
    days = (window.end - window.start).total_seconds() / 86400
    return {"window_days": days, **{f"{table}_rows": float(count) for table, count in rows.items()}}
