"""What a replay shows at its end: a table a month per line, a picture of the loop, and where to look next."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from airloop.config import METRICS, OF_VALUES, Pipeline, metrics_of
from airloop.records import Evidence, Monitored
from airloop.settings import Settings
from airloop_platform.replay.counterfactual import MonthWithoutRetraining
from airloop_platform.replay.period import Period

_STARTS = {"hourly": "%Y-%m-%d %H:%M", "daily": "%Y-%m-%d", "weekly": "%Y-%m-%d", "monthly": "%Y-%m"}
_MOST_TICKS = 12


def summary_table(pipeline: Pipeline, periods: Sequence[Period]) -> Table:
    """One line per window; intervals are day-block bootstrap intervals of the rows whose labels matured in it."""
    metrics = metrics_of(pipeline.prediction.task)
    units = dict.fromkeys(
        _unit(metric)[0] for metric in (pipeline.monitoring.policy.metric, pipeline.gate.compare.metric)
    )
    table = Table(
        title=f"The loop, window by window (gains in {' and '.join(units)}, with day-block bootstrap intervals)",
        title_justify="left",
        show_lines=False,
        header_style="bold",
    )
    table.add_column("month" if pipeline.calendar == "monthly" else "from")
    has_answers = any(period.asked for period in periods)
    for name in ("rows", "refused", "champion", *(["asked over the API"] if has_answers else [])):
        table.add_column(name, justify="right")
    for metric in metrics:
        table.add_column(f"{METRICS[metric].title}, live")
    table.add_column("drift", justify="right")
    for name in ("monitoring: gain of the probe", "gate: gain on the holdout", "gain after promotion"):
        table.add_column(name)
    for period in periods:
        live = [_live(period.monitored, metric) for metric in metrics]
        table.add_row(*_row(pipeline, period, live=[*([_asked(period)] if has_answers else []), *live]))
    return table


def _row(pipeline: Pipeline, period: Period, *, live: Sequence[str]) -> tuple[str, ...]:
    watched = pipeline.monitoring.policy.metric
    monitored, scored = period.monitored, period.scored
    after = monitored.after_promotion if monitored else None
    return (
        period.window.start.strftime(_STARTS[pipeline.calendar]),
        f"{period.rows:,}",
        f"{period.refused_rows}",
        f"v{scored.version}" if scored and scored.version else "-",
        *live,
        f"{monitored.drifted_share:.0%}" if monitored and monitored.drifted_share is not None else "-",
        f"{period.action.kind} {_gain(period.action.evidence, watched)}" if period.action else "-",
        _gate(period, pipeline.gate.compare.metric),
        _gain(after.evidence, pipeline.gate.compare.metric) if after else "",
    )


def _asked(period: Period) -> str:
    answers = period.asked
    return f"{answers.requests:,}, {answers.errors} errors, p99 {answers.p99_ms:.1f} ms" if answers else "-"


def _live(monitored: Monitored | None, metric: str) -> str:
    if monitored is None or monitored.live.get(metric) is None:
        return "-"
    live = monitored.live
    bounds = (live[f"{metric}_lower"], live[f"{metric}_upper"])
    return f"{live[metric]:.3f} [{', '.join('-' if bound is None else f'{bound:.3f}' for bound in bounds)}]"


def _unit(metric: str) -> tuple[str, int]:
    """Gains of a score are shown in thousandths of it, those of a value in its own unit: name and factor."""
    title, own = METRICS[metric].title, METRICS[metric].task in OF_VALUES
    return (title, 1) if own else (f"thousandths of {title}", 1000)


def _gain(evidence: Iterable[Evidence], metric: str) -> str:
    """The gain in the metric with its interval, like `+3.1 [+0.4, +5.9]`."""
    _, factor = _unit(metric)
    compared = next((item for item in evidence if item.metric == metric), None)
    if compared is None:
        return ""
    gain, lower, upper = (factor * value for value in (compared.gain, compared.lower, compared.upper))
    return f"{gain:+.1f} [{lower:+.1f}, {upper:+.1f}]"


def _gate(period: Period, metric: str) -> str:
    decision = period.decision
    if decision is None:
        return ""
    by_hand = "by hand " if decision.reason == "hand" else ""
    refit = period.refitted
    as_refit = f", in force as v{refit.version}" if refit is not None and refit.outcome == "refitted" else ""
    shown = _gain(decision.evidence, metric) or "by the floors"
    answer = f", {period.answer}" if period.answer else ""
    return f"{by_hand}v{decision.version} {decision.outcome} {shown}{answer}{as_refit}"


def never_retrained_lines(pipeline: Pipeline, without: Sequence[MonthWithoutRetraining]) -> list[str]:
    """The mean over windows of the loop and of its first champion kept for ever, on the same rows."""
    lines = []
    for metric in metrics_of(pipeline.prediction.task):
        measured = [item for item in without if metric in item.live]
        if not measured:
            continue
        live = sum(item.live[metric] for item in measured) / len(measured)
        first_champion = sum(item.never_retrained[metric] for item in measured) / len(measured)
        title = METRICS[metric].title
        lines.append(
            f"{title}: {live:.4f} with the loop, {first_champion:.4f} had the first champion never been retrained"
        )
    return lines


def write_picture(
    pipeline: Pipeline, without: Sequence[MonthWithoutRetraining], settings: Settings, *, name: str = "loop.png"
) -> Path | None:
    """Live against never retrained, window by window, promotions marked; a PNG below the reports."""
    if not any(item.live for item in without):
        return None
    figure = Figure(figsize=(9, 4), layout="constrained")
    metrics = metrics_of(pipeline.prediction.task)
    for axes, metric in zip(figure.subplots(1, len(metrics)), metrics, strict=True):
        _draw(axes, metric, without)
        ticks = range(0, len(without), -(-len(without) // _MOST_TICKS))
        named = "%b" if pipeline.calendar == "monthly" else "%d %b"
        axes.set_xticks([*ticks], [without[tick].window.start.strftime(named) for tick in ticks])
    # Below both: inside it would lie on a line or on a version's name.
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    path = Path(settings.home) / "reports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path


def _draw(axes: Axes, metric: str, without: Sequence[MonthWithoutRetraining]) -> None:
    places = range(len(without))
    axes.plot(
        places, [item.live.get(metric, math.nan) for item in without], marker="o", label="the loop", color="#1f77b4"
    )
    never_retrained = [item.never_retrained.get(metric, math.nan) for item in without]
    axes.plot(
        places,
        never_retrained,
        marker=".",
        linestyle="--",
        color="#888888",
        label="the first champion, never retrained",
    )
    for position, item in enumerate(without):
        if item.promoted:
            axes.axvline(position, color="#2ca02c", linewidth=0.8, linestyle=":")
            top = (position, 0.97)
            axes.annotate(f" v{item.version}", top, xycoords=("data", "axes fraction"), fontsize=8, color="#2ca02c")
    better = "higher" if METRICS[metric].sign > 0 else "lower"
    axes.set_title(f"{METRICS[metric].title} ({better} is better)")
    axes.grid(alpha=0.3)
