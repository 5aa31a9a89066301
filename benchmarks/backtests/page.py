"""What the backtests gave, as a table and pictures for docs/backtests.md."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airloop.config import METRICS

Found = dict[tuple[str, str], dict[str, Any]]
"""(data set, training.refit.on) -> what `airloop backtest --json` prints."""

_BEGIN, _END = "<!-- measured -->", "<!-- /measured -->"
_POLICIES = {
    "never": "never",
    "always": "every month, ungated",
    "calendar": "every month, gate",
    "drift": "drift share .5, gate",
    "declared": "declared loop",
}


def results(home: Path, names: Sequence[str]) -> Found:
    """What was measured so far, in the order of the names."""
    files = {(name, on): home / "backtests" / f"{name}-{on}.json" for name in names for on in ("all_mature", "none")}
    return {key: json.loads(file.read_text()) for key, file in files.items() if file.exists()}


def table(by_set: Found) -> str:
    """Markdown, one row a data set, refit and policy."""
    head = "| data set | refit | policy | metric | live | gain over never | trainings | promotions | seconds |"
    lines = [head, "|---|---|---|---|---|---|---|---|---|"]
    for (name, on), result in by_set.items():
        lines += [_line(name, on, result["metric"], outcome) for outcome in result["outcomes"]]
    return "\n".join(lines)


def _line(name: str, on: str, metric: str, outcome: dict[str, Any]) -> str:
    live, gain = outcome["pooled"][metric], outcome["gain"]
    cells = [
        name,
        {"all_mature": "on", "none": "off"}[on],
        _POLICIES[outcome["policy"]],
        METRICS[metric].title,
        "-" if live is None else f"{live[0]:.4g} [{live[1]:.4g}, {live[2]:.4g}]",
        "" if gain is None else f"{gain['gain']:+.3g} [{gain['lower']:+.3g}, {gain['upper']:+.3g}]",
        len(outcome["trainings"]),
        outcome["promotions"],
        f"{outcome['seconds']:.0f}",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def share_of_ungated(result: dict[str, Any]) -> float | None:
    """The declared loop's gain over never as a share of that of every month, ungated; None where that gains nothing."""
    gains = {outcome["policy"]: outcome["gain"] for outcome in result["outcomes"]}
    most, own = gains.get("always"), gains.get("declared")
    return None if not most or not own or most["lower"] <= 0 else own["gain"] / most["gain"]


def write(by_set: Found, docs: Path) -> None:
    """Put the table between its marks in docs/backtests.md, and a picture of each data set beside the others."""
    text = (docs / "backtests.md").read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    shown = {name: by_set.get((name, "all_mature"), by_set.get((name, "none"), {})) for name, _ in by_set}
    pictures = "\n".join(f"![{name}, month by month](images/backtest_{name}.svg)\n" for name in shown)
    (docs / "backtests.md").write_text(
        f"{before}{_BEGIN}\n{table(by_set)}\n\n{pictures}{_END}{after}", encoding="utf-8"
    )
    for name, result in shown.items():
        picture(name, result, docs / "images" / f"backtest_{name}.svg")


def picture(name: str, result: dict[str, Any], path: Path) -> None:
    """The live metric of each policy, window after window."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "airloop"
    from matplotlib import pyplot as plt

    metric = result["metric"]
    figure, axes = plt.subplots(figsize=(8, 3))
    months = [window["start"][:7] for window in result["windows"]]
    for outcome in result["outcomes"]:
        values = [window["metrics"][metric] for window in outcome["windows"]]
        axes.plot(
            months, values, label=_POLICIES[outcome["policy"]], linewidth=2 if outcome["policy"] == "declared" else 1
        )
    axes.set_xticks(months[:: max(1, len(months) // 8)])
    axes.set_title(f"{name}: {METRICS[metric].title} by month")
    axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
