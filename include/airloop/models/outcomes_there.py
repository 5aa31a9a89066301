"""Are the outcomes there? A training refuses rows whose outcomes never landed: they look like cancelled ones."""

from datetime import datetime, timedelta

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import DataContractError
from airloop.features import examples
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import alarms

_MAY_LAG = timedelta(days=1)
_LONGER_THAN_EVER = 3
_EXAMPLES_OF_A_DAY = 20
_INCOMPLETE = 0.35
"""A day with less than this share of the usual outcomes has lost a file."""
_SHOWN_DAYS = 5
_ABOUT_OUTCOMES = ("missing_day", "labels_missing", "missing_not_at_random")


def refuse_ended(pipeline: Pipeline, cutoff: datetime, holdout: Window, settings: Settings) -> None:
    """Refuse a cutoff that the outcomes do not reach: those that end early would leave out the late ones.

    Where absence means something (prediction.labels) the silence before the cutoff is compared with the longest one
    between two outcomes: refused when it is more than three times as long, and longer than a day.

    Raises:
        DataContractError: Names the feed and since when it is silent.
    """
    if pipeline.prediction.labels:
        _refuse_silence(pipeline, cutoff, settings)
        return
    newest = examples.newest_label_at(pipeline, holdout, settings, as_of=cutoff) or holdout.start
    due = max(holdout.end, cutoff - _MAY_LAG)
    waiting = examples.examples(pipeline, Window(newest, due), settings).num_rows if newest < due else 0
    if waiting:
        raise DataContractError(
            f"{pipeline.name}: no outcome is known after {newest:%Y-%m-%dT%H:%MZ}, but {waiting} examples were decided "
            f"between then and {due:%Y-%m-%dT%H:%MZ}: the outcome feed {_outcomes(pipeline)} "
            f"has not landed up to the cutoff {cutoff:%Y-%m-%dT%H:%MZ}"
        )


def refuse_incomplete_days(pipeline: Pipeline, frame: pd.DataFrame, settings: Settings) -> None:
    """Refuse training rows of local days that have far fewer outcomes than others: their file never landed.

    A day counts when it has at least 20 examples, and is incomplete when its share with a label is below 0.35 of the
    days' median. Days are those of the outcome feed's `day_timezone`. A day whose alarm somebody accepted passes.

    Args:
        frame: decision_time (UTC) and label of the training rows.

    Raises:
        DataContractError: Names the days and the ways out.
    """
    zone = next((pipeline.feeds[name].day_timezone for name in pipeline.outcome_feeds), "UTC")
    rows = frame[~_accepted(pipeline, frame["decision_time"], settings)]
    days = rows["decision_time"].dt.tz_convert(zone).dt.date
    counts = rows.groupby(days)["label"].agg(["size", "count"])
    counts = counts[counts["size"] >= _EXAMPLES_OF_A_DAY]
    share = counts["count"] / counts["size"]
    incomplete = counts.index[(share < _INCOMPLETE * share.median()) | (share == 0)]
    if len(incomplete):
        more = f" and {len(incomplete) - _SHOWN_DAYS} more" if len(incomplete) > _SHOWN_DAYS else ""
        first = incomplete[0]
        raise DataContractError(
            f"{pipeline.name}: outcomes are missing of {', '.join(map(str, incomplete[:_SHOWN_DAYS]))}{more} (days of "
            f"decision time in {zone}; {counts['count'][first]} of {counts['size'][first]} examples have one, usually "
            f"{share.median():.0%}): land the missing files of the outcome feed {_outcomes(pipeline)}; where there are "
            "none, leave these days out of section `examples` of features.sql, or accept their alarm "
            f"(airloop alarms list {pipeline.name})"
        )


def _refuse_silence(pipeline: Pipeline, cutoff: datetime, settings: Settings) -> None:
    known_at = examples.labels_known_at(pipeline, Window(pipeline.coverage.start, cutoff), settings, as_of=cutoff)
    longest = known_at.diff().max() if len(known_at) > 1 else timedelta(0)
    newest = known_at.iloc[-1] if len(known_at) else pipeline.coverage.start
    if cutoff - newest > max(_MAY_LAG, _LONGER_THAN_EVER * longest):
        raise DataContractError(
            f"{pipeline.name}: no outcome is known after {newest:%Y-%m-%dT%H:%MZ}, and before that the longest silence "
            f"was {longest}: up to the cutoff {cutoff:%Y-%m-%dT%H:%MZ} absence would count as "
            f"{pipeline.prediction.labels and pipeline.prediction.labels.means:g}; land what is missing of the outcome "
            f"feed {_outcomes(pipeline)}, or take an earlier cutoff"
        )


def _accepted(pipeline: Pipeline, times: pd.Series, settings: Settings) -> pd.Series:
    """Which decision times lie in a window about whose outcomes somebody accepted an alarm."""
    accepted = pd.Series(data=False, index=times.index)
    if times.empty:
        return accepted
    span = Window(times.min().to_pydatetime(), times.max().to_pydatetime() + timedelta.resolution)
    for item in alarms.raised(pipeline, settings, span=span, stages=alarms.DATA_STAGES):
        if item.alarm.kind in _ABOUT_OUTCOMES and item.answer == alarms.ACCEPTED:
            accepted |= (times >= item.window.start) & (times < item.window.end)
    return accepted


def _outcomes(pipeline: Pipeline) -> str:
    return ", ".join(pipeline.outcome_feeds) or "that section `labels` reads"
