"""What a page says in place of what it cannot show: one line in words, and the way back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response

from airloop.errors import ConfigError
from airloop.pages.site import Site
from airloop.reports.rendering import page_headers, render
from airloop.settings import load_settings

_HEADINGS = {401: "Log in first", 403: "Not for you, or not here", 404: "Not here", 405: "Read only"}
_WAYS_OUT = {
    401: "Airflow does not know you any more: log in to Airflow, then open this page again.",
    404: "No page of airloop has this address.",
    405: "This page is only read: nothing can be sent to it.",
}
"""What is said where the framework says no more than the status."""
_ASKED = {
    "int_parsing": "is not a whole number",
    "datetime_from_date_parsing": "is not an instant like 2013-01-31T00:00:00Z",
}


def site_of(request: Request) -> Site:
    """The pages as this request reached them."""
    return Site(load_settings(), request.scope["root_path"].rstrip("/"), datetime.now(UTC))


def refused(request: Request, error: HTTPException) -> Response:
    """A refusal of a status: a page for a reader, JSON for a program that is not logged in."""
    if error.status_code == 401 and "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
    plain = error.status_code == 401 or error.detail in ("Not Found", "Method Not Allowed")
    why = _WAYS_OUT[error.status_code] if plain else str(error.detail)
    return problem(request, error.status_code, _HEADINGS.get(error.status_code, "Refused"), why, headers=error.headers)


def misread(request: Request, error: RequestValidationError) -> Response:
    """An address whose parts cannot be read: which part, its value, and what is asked for."""
    why = "; ".join(_misread(one) for one in error.errors())
    return problem(request, 404, _HEADINGS[404], f"This address names nothing: {why}.")


def failed(request: Request, error: Exception) -> Response:
    """An error of airloop's: a pipeline that is wrongly declared is not there, the rest may come again."""
    status, heading = (404, "Not declared") if isinstance(error, ConfigError) else (503, "Not available")
    return problem(request, status, heading, str(error))


def problem(
    request: Request, status: int, heading: str, why: str, *, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """A page that says why there is no other."""
    html = render("problem.html", site=site_of(request), heading=heading, why=why)
    return HTMLResponse(html, status, headers={**(headers or {}), **page_headers()})


def _misread(one: Mapping[str, Any]) -> str:
    must_be = _ASKED.get(one["type"], f"is refused ({one['msg']})")
    return f"{one['loc'][-1]} {str(one['input'])[:100]!r} {must_be}"
