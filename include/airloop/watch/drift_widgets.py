"""What airloop puts beside Evidently's own widgets on a drift report."""

from collections.abc import Sequence

from evidently.core.container import MetricContainer, MetricOrContainer
from evidently.core.metric_types import MetricId
from evidently.core.report import Context
from evidently.legacy.model.widget import BaseWidgetInfo
from evidently.legacy.renderers.html_widgets import CounterData, counter, table_data
from evidently.metrics import DriftedColumnsCount
from evidently.presets import DataDriftPreset

_COUNTERS_A_ROW = 2


class ScoreTable(MetricContainer):
    """Every score, largest first, where not every feature is drawn."""

    scores: dict[str, float]
    ignored: list[str]

    def generate_metrics(self, context: Context) -> Sequence[MetricOrContainer]:
        """No metric of its own: the scores were computed before."""
        return []

    def render(
        self, context: Context, child_widgets: list[tuple[MetricId | None, list[BaseWidgetInfo]]] | None = None
    ) -> list[BaseWidgetInfo]:
        """One table."""
        by_score = sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))
        rows = [(name, f"{score:.3f}", "drift expected" if name in self.ignored else "") for name, score in by_score]
        return [table_data(column_names=["column", "PSI", ""], data=rows, title=f"PSI of all {len(rows)} columns")]


class DriftTable(DataDriftPreset):
    """Evidently's table of drifted columns, without the figures that it draws and never shows (half of its time)."""

    def generate_metrics(self, context: Context) -> Sequence[MetricOrContainer]:
        """The count alone; `render` draws the table from the data."""
        return [metric for metric in super().generate_metrics(context) if isinstance(metric, DriftedColumnsCount)]


class Headline(MetricContainer):
    """The numbers a person looks for first, as counters on top of Evidently's report."""

    values: dict[str, str]

    def generate_metrics(self, context: Context) -> Sequence[MetricOrContainer]:
        """No metric of its own: the numbers were computed before."""
        return []

    def render(
        self, context: Context, child_widgets: list[tuple[MetricId | None, list[BaseWidgetInfo]]] | None = None
    ) -> list[BaseWidgetInfo]:
        """Rows of counters, as many in each as are readable."""
        counters = [CounterData(label, value) for label, value in self.values.items()]
        rows = [counters[start : start + _COUNTERS_A_ROW] for start in range(0, len(counters), _COUNTERS_A_ROW)]
        return [counter(counters=row) for row in rows]
