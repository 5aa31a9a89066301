"""What the demo shows at its end: a table a month per line, a picture of the loop, and where to look next."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from rich.table import Table

from airloop.demo.counterfactual import MonthWithoutRetraining
from airloop.demo.loop import Period
from airloop.records import Evidence, Monitored
from airloop.settings import Settings

_COLUMNS = (
    ("month", "left"),
    ("rows", "right"),
    ("refused", "right"),
    ("champion", "right"),
    ("ROC-AUC, live", "left"),
    ("Brier, live", "left"),
    ("drift", "right"),
    ("monitoring: gain of the probe", "left"),
    ("gate: gain on the holdout", "left"),
    ("gain after promotion", "left"),
)


def summary_table(periods: Sequence[Period], without: Sequence[MonthWithoutRetraining]) -> Table:
    """One line per window; intervals are day-block bootstrap intervals of the rows whose labels matured in it."""
    table = Table(
        title="The loop, month by month (gains in thousandths of Brier, with day-block bootstrap intervals)",
        title_justify="left",
        show_lines=False,
        header_style="bold",
    )
    for name, justify in _COLUMNS:
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    gains = {item.window: item.after_promotion for item in without}
    for period in periods:
        table.add_row(*_row(period, gains.get(period.window)))
    return table


def _row(period: Period, gain: Evidence | None) -> tuple[str, ...]:
    monitored, scored = period.monitored, period.scored
    return (
        f"{period.window.start:%Y-%m}",
        f"{period.rows:,}",
        f"{period.refused_rows}",
        f"v{scored.version}" if scored and scored.version else "-",
        _live(monitored, "roc_auc"),
        _live(monitored, "brier"),
        f"{monitored.drifted_share:.0%}" if monitored and monitored.drifted_share is not None else "-",
        f"{period.action.kind} {_brier(period.action.evidence)}" if period.action else "-",
        _gate(period),
        _brier([gain]) if gain else "",
    )


def _live(monitored: Monitored | None, metric: str) -> str:
    if monitored is None or monitored.live.get(metric) is None:
        return "-"
    live = monitored.live
    bounds = (live[f"{metric}_lower"], live[f"{metric}_upper"])
    return f"{live[metric]:.3f} [{', '.join('-' if bound is None else f'{bound:.3f}' for bound in bounds)}]"


def _brier(evidence: Sequence[Evidence]) -> str:
    """The gain in thousandths of Brier with its interval, like `+3.1 [+0.4, +5.9]`."""
    found = [
        1000 * value for item in evidence if item.metric == "brier" for value in (item.gain, item.lower, item.upper)
    ]
    return f"{found[0]:+.1f} [{found[1]:+.1f}, {found[2]:+.1f}]" if found else ""


def _gate(period: Period) -> str:
    decision = period.decision
    if decision is None:
        return ""
    asked = "by hand " if decision.reason == "hand" else ""
    return f"{asked}v{decision.version} {decision.outcome} {_brier(decision.evidence) or 'by the floors'}"


def never_retrained_lines(without: Sequence[MonthWithoutRetraining]) -> list[str]:
    """The mean over months of the loop and of its first champion kept for ever, on the same rows."""
    if not without:
        return []
    lines = []
    for metric, name in (("roc_auc", "ROC-AUC"), ("brier", "Brier")):
        live = sum(item.live[metric] for item in without) / len(without)
        kept = sum(item.never_retrained[metric] for item in without) / len(without)
        lines.append(f"{name}: {live:.4f} with the loop, {kept:.4f} had version 1 never been retrained")
    return lines


def write_picture(without: Sequence[MonthWithoutRetraining], settings: Settings) -> Path | None:
    """Live against never retrained, month by month, promotions marked; a PNG below the reports."""
    if not without:
        return None
    figure = Figure(figsize=(9, 4), layout="constrained")
    months = [f"{item.window.start:%b}" for item in without]
    for axes, (metric, name) in zip(
        figure.subplots(1, 2),
        (("roc_auc", "ROC-AUC (higher is better)"), ("brier", "Brier (lower is better)")),
        strict=True,
    ):
        axes.plot(months, [item.live[metric] for item in without], marker="o", label="the loop", color="#1f77b4")
        axes.plot(
            months,
            [item.never_retrained[metric] for item in without],
            marker=".",
            linestyle="--",
            color="#888888",
            label="version 1, never retrained",
        )
        for position, item in enumerate(without):
            if item.after_promotion is not None:
                axes.axvline(position, color="#2ca02c", linewidth=0.8, linestyle=":")
                top = (position, 0.97)
                axes.annotate(f" v{item.version}", top, xycoords=("data", "axes fraction"), fontsize=8, color="#2ca02c")
        axes.set_title(name)
        axes.grid(alpha=0.3)
    figure.axes[0].legend()
    path = Path(settings.home) / "reports" / "loop.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path
