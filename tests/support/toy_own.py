"""The toy's project with modules of its own: a metric, a rule, a trigger and a source that nobody at airloop knows."""

from pathlib import Path

from tests.support import toy, toy_sql

from airloop.settings import Settings

METRIC = '''
"""What a missed failure and a false alarm cost."""

from airloop.metrics.metric import MeanLoss


class CostOfMisses(MeanLoss):
    """Mean cost of a job: 5 for a failure given less than one half, 1 for a false alarm."""

    title = "cost a job"
    task = "binary"
    sign = -1.0

    def loss(self, labels, predictions):
        alarm = predictions >= 0.5
        return 5.0 * ((labels == 1) & ~alarm) + 1.0 * ((labels == 0) & alarm)


class Accuracy(MeanLoss):
    """Share of jobs that are on the right side of one half."""

    title = "share right"
    task = "binary"
    sign = 1.0

    def loss(self, labels, predictions):
        return ((predictions >= 0.5) == (labels == 1)).astype(float)


class OfAnotherTask(CostOfMisses):
    task = "regression"


class WithoutSide(CostOfMisses):
    sign = 0.0


class WithoutTitle(MeanLoss):
    task = "binary"
    sign = 1.0

    def loss(self, labels, predictions):
        return labels


class Shapeless(CostOfMisses):
    def statistic(self, labels, predictions, block, size):
        return lambda draws: 1.0
'''

SOURCE = '''
"""A page that answers with the rows of a span, as many systems have one."""

import json
import urllib.parse
import urllib.request
from datetime import datetime, timedelta

from airloop.config.node import Node
from airloop.errors import ConfigError
from airloop.sources.kinds.source import Source

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RestOptions(Node):
    url: str
    """Address of the page."""
    page_rows: int = 100
    """Rows asked for at once."""


class RestPage(Source):
    """Rows of a REST page, by since and until."""

    Options = RestOptions

    def rows(self, over):
        first = 0
        while True:
            asked = {"since": over.start.isoformat(), "until": over.end.isoformat(), "first": first,
                     "rows": self.options.page_rows}
            with DIRECT.open(self.options.url + "?" + urllib.parse.urlencode(asked), timeout=10) as answer:
                page = json.load(answer)
            for row in page:
                if set(row) != set(self.feed.columns):
                    raise ConfigError(f"the page has {sorted(row)}")
                yield [self.value(name, row[name]) for name in self.feed.columns]
            if len(page) < self.options.page_rows:
                return
            first += len(page)

    def value(self, name, value):
        return datetime.fromisoformat(value) if self.feed.columns[name] == "timestamp" else value


class HourOptions(Node):
    machine: str
    """Whose jobs they are."""


class OneAnHour(Source):
    """Makes a job an hour up."""

    Options = HourOptions

    def rows(self, over):
        for hour in range(24):
            at = over.end - timedelta(hours=24 - hour)
            yield ["j" + str(hour), self.options.machine, at, at, 1, at]


class TooFew(Source):
    """Gives a row without its last value."""

    def rows(self, over):
        yield ["j1", "m1"]


class OutOfOrder(Source):
    """Goes back to a day that it has left."""

    def rows(self, over):
        for number, later in enumerate((1, 0, 1)):
            at = over.start + timedelta(days=later)
            yield ["j" + str(number), "m1", at, at, 1, over.start]
'''

RULE = '''
"""What a candidate of the toy has to pass besides."""

from airloop.gate.rules.rule import Rule, verdict


class Rows(Rule):
    """Passes when the holdout has at least `at_least` rows."""

    at_least: int

    def measure(self, holdout):
        return {"rows": len(holdout.rows)}

    def check(self, measured):
        rows = measured["rows"]
        return verdict("rows", f"{rows} rows, must be at least {self.at_least}", rows, passed=rows >= self.at_least)


class Half(Rule):
    """Leaves out what it checks."""

    def measure(self, holdout):
        return {}
'''

TRIGGER = '''
"""What asks for a training of the toy besides."""

from airloop.watch.triggers.probe import Probe
from airloop.watch.triggers.trigger import Trigger, Verdict


class Off(Trigger):
    """Asks when predictions are off by more than `at_most` on average."""

    at_most: float

    def judge(self, looks):
        lacking = looks.too_few_labels()
        if lacking:
            return Verdict("not_enough_data", lacking)
        gap = looks.newest.calibration_gap
        shows = abs(gap) > self.at_most
        return Verdict("retrain" if shows else "nothing", f"off by {gap:.2f}, at most {self.at_most:g}", shows)


class Broken(Trigger):
    """Fails."""

    def judge(self, looks):
        return {}["gap"]


class Careless(Trigger):
    """Answers no verdict."""

    def judge(self, looks):
        return True


class Pretender(Probe):
    """Would like the milder rule for the probe."""


class Half(Trigger):
    """Leaves out what it judges."""
'''

JOBS_FROM_FILES = '{files: "{day}.csv", key: [job], event_time: planned_at'
NO_WATERMARK, WATERMARK = "size: integer}}\n  heat", "size: integer, updated_at: timestamp}}\n  heat"


def add_modules(settings: Settings) -> None:
    """Write the project's own modules below include/."""
    include = settings.project_dir / "include"
    (include / "toys_own_metrics.py").write_text(METRIC)
    (include / "toys_own_sources.py").write_text(SOURCE)
    (include / "toys_own_rules.py").write_text(RULE)
    (include / "toys_own_triggers.py").write_text(TRIGGER)


def measure_by(settings: Settings, metric: str, bound: str) -> None:
    """A floor on the metric beside the toy's own, and the same metric where champions are compared and watched."""
    toy_sql.declare(
        settings,
        "floors: [{metric: roc_auc, at_least: 0.7}]",
        f'floors: [{{metric: roc_auc, at_least: 0.7}}, {{metric: "{metric}", {bound}}}]',
    )
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    head, gate = path.read_text().split("\ngate:", 1)
    path.write_text(head + "\ngate:" + gate.replace("metric: brier", f'metric: "{metric}"'))


def fetch_jobs_by(settings: Settings, kind: str, options: str = "") -> None:
    """Let the feed jobs come from a source of the project's own."""
    more = f", options: {options}" if options else ""
    source = f'{{source: {{kind: "{kind}", watermark: updated_at{more}}},\n     key: [job], event_time: planned_at'
    toy_sql.declare(settings, JOBS_FROM_FILES, source)
    toy_sql.declare(settings, NO_WATERMARK, WATERMARK)


def project(root: Path, repository: Path) -> Settings:
    """The toy with its own modules; nothing names them yet."""
    settings = toy.write_project(root, repository)
    add_modules(settings)
    return settings


def judge_by_rule(settings: Settings, rule: str) -> None:
    """Declare a rule of the gate."""
    after = "\ngate:\n  "
    toy_sql.declare(settings, after, f"{after}rules: [{rule}]\n  ")


def ask_by_trigger(settings: Settings, triggers: str) -> None:
    """Declare what asks for a training."""
    toy_sql.declare(settings, "cool_down_days: 0}}", f"cool_down_days: 0}},\n   triggers: [{triggers}]}}")
