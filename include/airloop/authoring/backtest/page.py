"""A backtest as a page of its own: a picture of the windows, one row a policy, and every training."""

from airloop.authoring.backtest.outcome import Backtest
from airloop.reports import charts, rendering


def page(backtest: Backtest) -> str:
    """HTML that loads nothing from elsewhere."""
    names = [rendering.window(window) for window in backtest.windows]
    metrics = list(backtest.outcomes[0].pooled)
    pictures = {
        metric: charts.lines(
            names,
            {outcome.policy: [window.metrics[metric] for window in outcome.windows] for outcome in backtest.outcomes},
        )
        for metric in metrics
    }
    gains = [item.gain for item in backtest.outcomes if item.gain]
    reach = max((abs(bound) for gain in gains for bound in (gain.lower, gain.upper)), default=0.0)
    intervals = {
        item.policy: charts.interval(item.gain.gain, item.gain.lower, item.gain.upper, reach=reach)
        for item in backtest.outcomes
        if item.gain
    }
    return rendering.render(
        "backtest.html",
        backtest=backtest,
        metrics=metrics,
        pictures=pictures,
        intervals=intervals,
        colours=charts.COLOURS,
    )
