"""Templates filled in: everything a page shows is escaped here, and how numbers and times read is decided here."""

import base64
import functools
import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from airloop.config import METRICS
from airloop.records import Window, parse_instant
from airloop.reports.prose import plain, prose, sentence

_TEMPLATES = Path(__file__).parent / "templates"
_NOTHING = "\N{EN DASH}"
_TINY = 1e-4


def render(template: str, **context: Any) -> str:
    """A template of `templates/`, filled in; a variable that is not given is an error."""
    return _environment().get_template(template).render(**context)


def with_theme(report: str) -> str:
    """A report's HTML with the script that makes it follow the theme of the page around it, before its own scripts."""
    script = f"<script>{_text('report.js')}</script>"
    head = re.search(r"<head\b[^>]*>", report)
    place = head.end() if head else 0
    return f"{report[:place]}{script}{report[place:]}"


def page_headers(*, forms: bool = False) -> dict[str, str]:
    """What the browser is told about every page of ours: it may run our script, frame ourselves, and load nothing.

    Args:
        forms: Whether it may send a form, to ourselves.
    """
    digest = base64.b64encode(hashlib.sha256(_text("page.js").encode()).digest()).decode()
    rules = (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
        "img-src data:",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'self'" if forms else "form-action 'none'",
    )
    return {"Content-Security-Policy": "; ".join(rules), "Cache-Control": "no-store", **_ALWAYS}


def report_headers() -> dict[str, str]:
    """The same for report files, which libraries write: scripts run, without the session and without the network."""
    rules = (
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval'",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "font-src data:",
        "frame-ancestors 'self'",
    )
    return {"Content-Security-Policy": "; ".join(rules), "Cache-Control": "no-store", **_ALWAYS}


_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # a new template is for the new code, which comes with the next start
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "number": number,
        "score": score,
        "signed": signed,
        "share": share,
        "instant": instant,
        "window": window,
        "span": span,
        "seconds": lambda value: span(None if value is None else timedelta(seconds=value)),
        "metric": metric_title,
        "words": words,
        "prose": prose,
        "sentence": sentence,
        "plain": plain,
    }
    # Files of ours, not data: the only texts that are not escaped.
    environment.globals |= {"style": Markup(_text("style.css")), "script": Markup(_text("page.js"))}  # noqa: S704
    return environment


@functools.cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def count(value: float | None) -> str:
    """`28,330`."""
    return _NOTHING if value is None else f"{value:,.0f}"


def number(value: float | None) -> str:
    """Four significant digits: `0.1831`, `12.4`, `2013`, `28,330`, `1.2e-05`."""
    if value is None:
        return _NOTHING
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"
    if abs(value) < _TINY:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def score(value: float | None) -> str:
    """A metric's value: four significant digits, `0.1730`, zeros kept, so that a column of them lines up."""
    return f"{value:#.4g}" if value and _TINY <= abs(value) < 1000 else number(value)


def signed(value: float | None) -> str:
    """A gain: `+0.0090`, `-0.0006`; four decimals, so that a column of them lines up."""
    return _NOTHING if value is None else f"{value:+.4f}".replace("-", "\N{MINUS SIGN}")


def share(value: float | None) -> str:
    """`33 %`; what is not nothing never reads 0 %."""
    if value is None:
        return _NOTHING
    if 0 < value < 0.01:
        return "< 0.1 %" if value < 0.001 else f"{value:.1%}".replace("%", " %")
    return f"{value:.0%}".replace("%", " %")


def instant(value: datetime | str | None) -> str:
    """`2013-04-01 06:00`, in UTC; midnight is not told."""
    if not value:
        return _NOTHING
    at = parse_instant(value) if isinstance(value, str) else value.astimezone(UTC)
    return f"{at:%Y-%m-%d}" if at.time() == at.min.time() else f"{at:%Y-%m-%d %H:%M}"


def window(value: Window) -> str:
    """A calendar period by its name, `2013-04`, `2013-04-01` or `2013-04-01 06:00`; anything else by its bounds."""
    start, end = value.start, value.end
    if instant(start) == f"{start:%Y-%m-01}" and end == (start + timedelta(days=32)).replace(day=1):
        return f"{start:%Y-%m}"
    days = (end - start) / timedelta(days=1)
    if days == 1 and instant(start) == f"{start:%Y-%m-%d}":
        return f"{start:%Y-%m-%d}"
    if days == 1 / 24 and start.minute == 0:
        return f"{start:%Y-%m-%d %H:%M}"
    return f"{instant(start)} to {instant(end)}"


def span(value: timedelta | None) -> str:
    """`30 days`, `6 h`, `45 min`: one unit, rounded."""
    if value is None:
        return _NOTHING
    minutes = value / timedelta(minutes=1)
    for unit, size in (("day", 1440), ("h", 60)):
        if minutes >= size * (2 if unit == "day" else 1):
            units = round(minutes / size)
            return f"{units} days" if unit == "day" else f"{units} h"
    return f"{minutes:.0f} min"


def metric_title(name: str) -> str:
    """How people call a metric."""
    return METRICS[name].title if name in METRICS else words(name)


def words(name: str) -> str:
    """A key of ours as words: `not_enough_data` reads `not enough data`."""
    return re.sub(r"_+", " ", name).strip()
