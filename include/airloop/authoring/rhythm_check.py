"""Check that the declared rhythm of monitoring can ever decide."""

from datetime import timedelta

from airloop.config import Pipeline
from airloop.errors import ConfigError

_LONGEST_DAYS = {"hourly": 1, "daily": 1, "weekly": 7, "monthly": 31}


def check(pipeline: Pipeline) -> None:
    """Refuse a rhythm that says "not enough data" for ever.

    Raises:
        ConfigError: A look has fewer days than the policy needs.
    """
    place, policy = f"{pipeline.name}/pipeline.yaml: monitoring", pipeline.monitoring.policy
    days = days_of_a_look(pipeline)
    if days < policy.min_blocks:
        raise ConfigError(
            f"{place}.over_days: a look judges {days} days, and policy.min_blocks asks for {policy.min_blocks}: it "
            f"would never have enough data; write over_days: {policy.min_blocks} or more"
        )


def looks(pipeline: Pipeline) -> list[str]:
    """What is allowed and worth a look, a line each."""
    policy, days = pipeline.monitoring.policy, days_of_a_look(pipeline)
    lines = []
    start, end = pipeline.coverage.start, pipeline.coverage.end
    # A champion needs a holdout before it is one, and its labels mature a delay later.
    needed = timedelta(days=pipeline.training.holdout_days + policy.min_blocks) + pipeline.prediction.label_delay
    if end is not None and end - start < needed:
        lines.append(
            f"pipeline.yaml: look: coverage: it has {(end - start).days} days; a holdout and policy.min_blocks days "
            f"whose labels have matured take {needed.days}: monitoring would never have enough data"
        )
    if policy.n > 1:
        lines.append(
            f"pipeline.yaml: look: monitoring.policy.n {policy.n}: looks that share rows count once, so they take "
            f"{policy.n * days} days"
        )
    if pipeline.monitoring.probe_days > days:
        lines.append(
            f"pipeline.yaml: look: monitoring.probe_every_days {pipeline.monitoring.probe_days} is longer than the "
            f"{days} days of a look: most looks compare with an old probe, and see a change late"
        )
    return lines


def days_of_a_look(pipeline: Pipeline) -> int:
    """So many days a look of monitoring judges, at its longest period."""
    return max(pipeline.monitoring.over_days, _LONGEST_DAYS[pipeline.monitoring_calendar])
