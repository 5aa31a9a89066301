"""What a project of `airloop init` brings itself: a metric, a rule, a trigger and a source, a module each."""

from pathlib import Path

from benchmarks.own_project import PIPELINE

METRIC, RULE = "shop_metrics:Misses", "shop_rules:Rows"
TRIGGER, SOURCE = "shop_triggers:Off", "shop_sources:Stations"
TITLE = "share of hours missed by more than 3 degrees"

MODULES = {
    "shop_metrics.py": f'''
from airloop.metrics.metric import MeanLoss


class Misses(MeanLoss):
    """Share of hours whose temperature is off by more than 3 degrees."""

    title = "{TITLE}"
    task = "regression"
    sign = -1.0

    def loss(self, labels, predictions):
        return (abs(labels - predictions) > 3).astype(float)
''',
    "shop_rules.py": '''
from airloop.gate.rules.rule import Rule, verdict


class Rows(Rule):
    """Passes when the holdout has at least `at_least` rows."""

    at_least: int
    """Rows with a label."""

    def measure(self, holdout):
        return {"rows": len(holdout.rows)}

    def check(self, measured):
        rows = measured["rows"]
        says = f"{rows} rows, must be at least {self.at_least}"
        return verdict("shop_rows", says, rows, passed=rows >= self.at_least)
''',
    "shop_triggers.py": '''
from airloop.watch.triggers.trigger import Trigger, Verdict


class Off(Trigger):
    """Asks when predictions are off by more than `at_most` on average."""

    at_most: float
    """In degrees."""

    def judge(self, looks):
        lacking = looks.too_few_labels()
        if lacking:
            return Verdict("not_enough_data", lacking)
        gap = looks.newest.calibration_gap
        shows = abs(gap) > self.at_most
        return Verdict("retrain" if shows else "nothing", f"off by {gap:.2f}, at most {self.at_most:g}", shows)
''',
    "shop_sources.py": '''
from airloop.sources.kinds.source import Source


class Stations(Source):
    """The station and its height, which nobody lands."""

    def rows(self, over):
        yield ["EWR", 5.5]
''',
}


def declare_judges(project: Path) -> None:
    """Write the modules, and name metric, rule and trigger in the example's declaration."""
    for name, text in MODULES.items():
        (project / "include" / name).write_text(text, encoding="utf-8")
    _edit(project, "pipeline.yaml", "floors: [", f'floors: [{{metric: "{METRIC}", at_most: 0.9}}, ')
    _edit(project, "pipeline.yaml", "\ngate:\n", f'\ngate:\n  rules: [{{kind: "{RULE}", at_least: 100}}]\n')
    _edit(project, "pipeline.yaml", "triggers: [", f'triggers: [{{kind: "{TRIGGER}", at_most: 0.0}}, ')


def declare_source(project: Path) -> None:
    """Add a static feed that the project's own source fetches, with the rule that every table needs."""
    feed = f"""
  stations:
    {{source: {{kind: "{SOURCE}"}}, key: [station], columns: {{station: string, metres: float}}}}

prediction:
"""
    _edit(project, "pipeline.yaml", "\nprediction:\n", feed)
    rule = "{type: expect_column_values_to_not_be_null, kwargs: {column: station}, severity: critical}"
    _edit(project, "expectations.yaml", "\nfeatures:\n", f"\n  stations:\n    - {rule}\n\nfeatures:\n")


def _edit(project: Path, name: str, old: str, new: str) -> None:
    path = project / "include" / "pipelines" / PIPELINE / name
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{path}: {old!r} stands there {text.count(old)} times")
    path.write_text(text.replace(old, new), encoding="utf-8")
