"""arrive: whether the files of a window are there once waiting for them is over; else their source has stalled."""

import logging

from airloop.config import Pipeline
from airloop.data import arrivals
from airloop.data.arrivals import Awaited
from airloop.deployment import Deployment
from airloop.records import Alarm, Arrived, Window
from airloop.settings import Settings

logger = logging.getLogger(__name__)

STALLED = "source_stalled"


def inputs(at: Deployment, window: Window) -> tuple[Awaited, ...]:
    """The feeds whose files are not there, and how far each has come."""
    return arrivals.awaited(at.pipeline, window, at.settings)


def arrive(at: Deployment, window: Window, reads: tuple[Awaited, ...]) -> Arrived:
    """Put on record which feeds have not landed; the caller has waited as long as they may be late.

    The first window of a silence alarms, and closes its alarm when it is run again with its files; the windows after it
    only name the feed, so that one silence is one alarm.

    Returns:
        `stalled`: the feeds without a file of the window's last period.
    """
    pipeline = at.pipeline
    first = [item for item in reads if item.newest is None or item.newest >= window.start]
    for item in reads:
        logger.info("%s %s: nothing of %s has landed: %s", pipeline.name, window, item.feed, _since(item))
    return Arrived(
        window=window,
        stalled=tuple(item.feed for item in reads),
        alarms=tuple(_stalled(pipeline, window, item, at.settings) for item in first),
    )


def _stalled(pipeline: Pipeline, window: Window, item: Awaited, settings: Settings) -> Alarm:
    hours = pipeline.feeds[item.feed].lateness_hours
    return Alarm(
        kind=STALLED,
        subject=item.feed,
        says=f"the source of {item.feed} has stalled: {_since(item)}, and {hours} hours (lateness_hours) have passed "
        f"since {window} should have been there. Land its files below "
        f"{settings.landing_uri}/{pipeline.name}/{item.feed} (with the header alone where nothing happened), and the "
        "inbox starts the window",
        holds_training=False,
    )


def _since(item: Awaited) -> str:
    return "no file has ever landed" if item.newest is None else f"its files end at {item.newest:%Y-%m-%dT%H:%MZ}"
