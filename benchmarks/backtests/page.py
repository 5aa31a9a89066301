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


def summary(by_set: Found) -> str:
    """Markdown, one row a data set: what the declared loop gets of what training after every window, ungated, gains."""
    head = (
        "| data set | metric | never | every month, ungated, gains | declared loop gains | share of it "
        "| trainings | a third is | promotions | taken back |"
    )
    lines = [head, f"|{'---|' * 10}"]
    lines += [_of_declared(name, result) for (name, on), result in by_set.items() if on == "all_mature"]
    return "\n".join(line for line in lines if line)


def _of_declared(name: str, result: dict[str, Any]) -> str:
    outcomes = {outcome["policy"]: outcome for outcome in result["outcomes"]}
    if not {"always", "declared"} <= outcomes.keys():
        return ""
    most, own, share = outcomes["always"], outcomes["declared"], share_of_ungated(result)
    never = outcomes["never"]["pooled"][result["metric"]]
    every = len(most["trainings"])
    return _row(
        name,
        METRICS[result["metric"]].title,
        "-" if never is None else f"{never[0]:.4g}",
        _gain(most),
        _gain(own),
        "no gain is sure" if share is None else f"{100 * share:.0f} %",
        f"{len(own['trainings'])} of {every}",
        every // 3,
        own["promotions"],
        own["rollbacks"],
    )


def table(by_set: Found) -> str:
    """Markdown, one row a data set, refit and policy."""
    columns = "refit | policy | metric | live | gain over never | trainings | promotions | taken back | seconds"
    head = f"| data set | {columns} |"
    lines = [head, f"|{'---|' * 10}"]
    for (name, on), result in by_set.items():
        lines += [_line(name, on, result["metric"], outcome) for outcome in result["outcomes"]]
    return "\n".join(lines)


def _line(name: str, on: str, metric: str, outcome: dict[str, Any]) -> str:
    live = outcome["pooled"][metric]
    return _row(
        name,
        {"all_mature": "on", "none": "off"}[on],
        _POLICIES[outcome["policy"]],
        METRICS[metric].title,
        "-" if live is None else f"{live[0]:.4g} [{live[1]:.4g}, {live[2]:.4g}]",
        _gain(outcome),
        len(outcome["trainings"]),
        outcome["promotions"],
        outcome["rollbacks"],
        f"{outcome['seconds']:.0f}",
    )


def _gain(outcome: dict[str, Any]) -> str:
    gain = outcome["gain"]
    if gain is None:
        return ""
    # Adding 0 takes the sign from a zero.
    value, lower, upper = (gain[name] + 0.0 for name in ("gain", "lower", "upper"))
    return f"{value:+.3g} [{lower:+.3g}, {upper:+.3g}]"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def share_of_ungated(result: dict[str, Any]) -> float | None:
    """The declared loop's gain over never as a share of that of every month, ungated; None where that gains nothing."""
    gains = {outcome["policy"]: outcome["gain"] for outcome in result["outcomes"]}
    most, own = gains.get("always"), gains.get("declared")
    return None if not most or not own or most["lower"] <= 0 else own["gain"] / most["gain"]


def write(by_set: Found, docs: Path) -> None:
    """Put both tables between their marks in docs/backtests.md, and a picture of each data set beside the others."""
    text = (docs / "backtests.md").read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    shown = {name: by_set.get((name, "all_mature"), by_set.get((name, "none"), {})) for name, _ in by_set}
    pictures = "\n".join(f"![{name}, month by month](images/backtest_{name}.svg)\n" for name in shown)
    measured = f"{_BEGIN}\n{summary(by_set)}\n\nAll policies:\n\n{table(by_set)}\n\n{pictures}{_END}"
    (docs / "backtests.md").write_text(f"{before}{measured}{after}", encoding="utf-8")
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
