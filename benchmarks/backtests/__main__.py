"""`python -m benchmarks.backtests [NAME ...]`: every policy on real data sets, by the shipped default policy.

Writes <home>/backtests/NAME.json and NAME.svg for each, and shows the table; `--docs` writes what all of them gave into
docs/backtests.md and docs/images/. Flights take an hour or more, every other set minutes.
"""

import argparse
import dataclasses
import json
from pathlib import Path

from airloop.settings import load_settings
from benchmarks.backtests import commands

CLONE = Path(__file__).parents[2]
REFITS = ("all_mature", "none")


def main(arguments: list[str]) -> int:
    """0, or 2 for a data set that there is not."""
    from benchmarks.backtests import page, place

    options = _asked(arguments)
    home = load_settings().home
    if not commands.known(options.names, place.names()):
        return 2
    if not options.docs:
        for name in options.names or place.names():
            _measure(name, home, options.refit, options.policies)
    results = page.results(home, place.names())
    print(page.summary(results), page.table(results), sep="\n\n")
    if options.docs:
        page.write(results, CLONE / "docs")
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backtests")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--policies", default="", help="A,B; default all; never is always there")
    parser.add_argument("--refit", default="both", choices=[*REFITS, "both"], help="training.refit.on")
    parser.add_argument("--docs", action="store_true", help="measure nothing, write what was measured")
    return parser.parse_args(arguments)


def _measure(name: str, home: Path, refit: str, policies: str) -> None:
    from airloop.authoring import backtest as backtests
    from benchmarks.backtests import place

    pipeline, settings = place.prepared(name, home, CLONE)
    chosen = backtests.find_policies(tuple(filter(None, policies.split(","))))
    past = backtests.past_of(pipeline, settings, every="monthly", on_progress=commands.say)
    for on in REFITS if refit == "both" else (refit,):
        commands.say(f"{name}: training.refit.on: {on}")
        training = pipeline.training
        changed = training.model_copy(update={"refit": training.refit.model_copy(update={"on": on})})
        with_training = dataclasses.replace(past, pipeline=past.pipeline.model_copy(update={"training": changed}))
        result = backtests.backtest(with_training, chosen, every="monthly", on_progress=commands.say)
        (home / "backtests" / f"{name}-{on}.json").write_text(json.dumps(result.to_json(), indent=1))


if __name__ == "__main__":
    commands.start(main)
