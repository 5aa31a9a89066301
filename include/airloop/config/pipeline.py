"""The tree behind pipeline.yaml: one small frozen class per idea; an unknown key is refused."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from airloop.config.alerts import AlertRoute
from airloop.config.approval import Approval
from airloop.config.calendar import Calendar, is_finer
from airloop.config.channel import Channel
from airloop.config.coverage import Coverage
from airloop.config.families import is_own
from airloop.config.features import Features
from airloop.config.feed import Feeds
from airloop.config.gate import Gate
from airloop.config.metric import METRICS, OF_VALUES, MetricName, metrics_of
from airloop.config.monitoring import Monitoring
from airloop.config.node import AttributePath, Name, Node
from airloop.config.prediction import Prediction
from airloop.config.retention import Retention
from airloop.config.review import Review
from airloop.config.serving import Serving
from airloop.config.training import Training
from airloop.config.validation import Validation


class Pipeline(Node):
    """One modelling problem."""

    name: Name
    owner: str
    """Who answers for the pipeline: a person or a team. Who may approve is `approval.by`."""
    channel: Channel = ""
    """Where the owner is reached, `https://...` or `mailto:...`: a link in Airflow, in alerts, questions and cards."""
    description: str
    tags: tuple[str, ...] = ()
    coverage: Coverage
    calendar: Calendar
    feeds: Feeds
    replay: AttributePath | None = None
    """Subclass of airloop.sources.replay:Replay that lands the past again, for `airloop replay` and reviews:
    `module:Class`."""
    prediction: Prediction
    features: Features
    validation: Validation
    training: Training
    gate: Gate
    approval: Approval = Approval()
    monitoring: Monitoring
    serving: Serving = Field(default_factory=Serving)
    review: Review | None = None
    """What people are asked about, in Airflow's page Review; nothing unless declared."""
    retention: Retention = Retention()
    alerts: tuple[AlertRoute, ...] = ()
    """Who is told, of what; without any, alerts stand on the page Pipelines alone."""

    @property
    def outcome_feeds(self) -> tuple[str, ...]:
        """Feeds that land after the prediction is made."""
        return tuple(name for name, feed in self.feeds.items() if feed.outcome)

    @property
    def streamed_views(self) -> frozenset[str]:
        """Feature views whose values go online with each event."""
        return frozenset(view for feed in self.feeds.values() if feed.stream for view in feed.stream.online)

    @property
    def monitoring_calendar(self) -> Calendar:
        """The calendar of monitoring's looks: `monitoring.every`, else the pipeline's own, at least daily."""
        return self.monitoring.every or ("daily" if self.calendar == "hourly" else self.calendar)

    def calendar_of(self, group: str) -> Calendar:
        """The calendar of a DAG that takes windows, by its group."""
        return self.monitoring_calendar if group == "monitoring" else self.calendar

    @model_validator(mode="after")
    def _reviews_have_an_outcome(self) -> Self:
        if self.review is None or not self.review.predictions:
            return self
        classes = self.prediction.task != "regression"
        if not classes and (self.review.confidence_at_most is not None or self.review.disagreeing):
            raise ValueError(
                "review: a regression has no classes to be unsure of or to disagree about: write random_share, and "
                "leave confidence_at_most and disagreeing out"
            )
        if not self.outcome_feeds:
            raise ValueError("review: answers land in the outcome feed, and no feed is declared `outcome: true`")
        return self

    @model_validator(mode="after")
    def _balances_classes(self) -> Self:
        if self.prediction.task in (*OF_VALUES, "anomaly") and self.training.balance.by != "none":
            raise ValueError(
                "training.balance sets classes against each other, and the task is "
                f"{self.prediction.task}: leave it out"
            )
        return self

    @model_validator(mode="after")
    def _looks_not_finer_than_windows(self) -> Self:
        every = self.monitoring.every
        if every is not None and is_finer(every, self.calendar):
            raise ValueError(
                f"monitoring.every is {every}, finer than the calendar {self.calendar}: there would be looks without a "
                "new window; write the calendar, or a coarser one"
            )
        return self

    @model_validator(mode="after")
    def _slices_are_measured(self) -> Self:
        if self.approval.when.slice_worse and all(rule.kind != "slices" for rule in self.gate.rules):
            raise ValueError(
                "approval.when names slice_worse, and no rule of the gate measures slices: add "
                "{kind: slices, columns: [...]} to gate.rules, or take slice_worse away"
            )
        return self

    @model_validator(mode="after")
    def _challengers_are_asked(self) -> Self:
        predicts = self.serving.enabled and (self.serving.shadow or self.serving.canary is not None)
        if self.gate.shadowed is not None and not predicts:
            raise ValueError(
                "gate.rules has shadowed, and no challenger is asked beside the champion, so that no version could be "
                "promoted: write serving.shadow: true (or serving.canary, and serving.enabled), or take the rule away"
            )
        return self

    @model_validator(mode="after")
    def _forgetting_is_measured(self) -> Self:
        if self.training.reserve_days is None and any(rule.kind == "forgetting" for rule in self.gate.rules):
            raise ValueError(
                "gate.rules names forgetting, which compares models on days that none has learned from: add "
                "reserve_days: 10 to training, or take the rule away"
            )
        return self

    @model_validator(mode="after")
    def _learns_from_what_it_has(self) -> Self:
        if self.prediction.task not in ("binary", "multiclass") and self.training.unlabelled.by != "none":
            raise ValueError(
                f"training.unlabelled.by is {self.training.unlabelled.by}, which guesses classes, and the task is "
                f"{self.prediction.task}: leave it out"
            )
        if self.prediction.task == "anomaly" and self.training.selection.by != "none":
            raise ValueError("training.selection needs labels to say which features matter, and the task is anomaly")
        if self.prediction.task != "binary" and self.training.calibration.by != "none":
            raise ValueError(
                f"training.calibration corrects the probabilities of two classes, and the task is "
                f"{self.prediction.task}: leave it out"
            )
        if self.prediction.task in ("anomaly", "quantiles") and self.training.ensemble.by != "none":
            raise ValueError(
                f"training.ensemble.by is {self.training.ensemble.by}, the mean of two families' answers, which means "
                f"nothing of {self.prediction.task}: leave it out"
            )
        return self

    @model_validator(mode="after")
    def _anomalies_are_bounded(self) -> Self:
        kinds = {rule.kind for rule in self.gate.rules}
        lacking = sorted({"alarm_budget", "stability"} - kinds)
        if self.prediction.task == "anomaly" and lacking:
            raise ValueError(
                f"gate.rules has no {lacking[0]}: where no label comes, an anomaly task is judged by "
                "{kind: alarm_budget, at_most: ...} and {kind: stability, at_least: ...}; add both"
            )
        return self

    @model_validator(mode="after")
    def _windows_hold_whole_days(self) -> Self:
        if self.calendar == "hourly" and any(feed.fetched for feed in self.feeds.values()):
            raise ValueError("rows from a `source` land by UTC day, which is longer than an hourly window: write daily")
        days = [name for name, feed in self.feeds.items() if feed.stream and not feed.hourly]
        if self.calendar == "hourly" and days:
            raise ValueError(
                f"feeds.{days[0]}: a day's file is longer than an hourly window, which would wait for the day's end: "
                'write files: "{day}T{hour}.csv"'
            )
        return self

    @model_validator(mode="after")
    def _metrics_of_its_task(self) -> Self:
        task = self.prediction.task
        for key, metric in self.named_metrics().items():
            if not is_own(metric) and METRICS[metric].task != task:
                valid = ", ".join(map(repr, metrics_of(task)))
                says = "'{metric}' is not a metric of a {task} task (valid: {valid})"
                context = {"key": key, "metric": metric, "task": task, "valid": valid}
                raise PydanticCustomError("metric_of_another_task", says, context)
        return self

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics that are measured: airloop's of the task, then the project's own that are named."""
        return (*metrics_of(self.prediction.task), *self.own_metrics)

    @property
    def own_metrics(self) -> tuple[str, ...]:
        """Names of the project's own metrics that the declaration names, each once."""
        return tuple(dict.fromkeys(filter(is_own, self.named_metrics().values())))

    def named_metrics(self) -> dict[str, MetricName]:
        """Every metric the declaration names, by its key."""
        return {
            "training.metric": self.training.metric,
            "gate.compare.metric": self.gate.compare.metric,
            "monitoring.policy.metric": self.monitoring.policy.metric,
            **{f"gate.floors.{place}.metric": floor.metric for place, floor in enumerate(self.gate.floors)},
            **{
                f"monitoring.triggers.{place}.metric": (trigger.model_extra or {})["metric"]
                for place, trigger in enumerate(self.monitoring.triggers or ())
                if trigger.kind == "performance"
            },
        }
