"""Months of real flights in a lake below a temporary home, and the data stages that put them there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from airloop.config import Pipeline, calendar_windows, load_pipeline
from airloop.deployment import Deployment
from airloop.errors import ConfigError
from airloop.records import Record, Window
from airloop.run import stage_run
from airloop.run.stages import find_stage
from airloop.settings import STORES, Settings, load_settings
from nycflights import NycFlights

DATA_STAGES = ("ingest", "validate_raw", "build_features", "validate_features", "materialize")

# The last evening's files land after the month, in New York's time.
_LANDS_AFTER = timedelta(days=2)

RunStage = Callable[..., Record]


@dataclass(frozen=True)
class Flights:
    """The pipeline flight_delays with `windows` (months, oldest first) landed, and their features built and validated.

    Attributes:
        home: The temporary folder that holds everything, further stores of a measurement too.
    """

    home: Path
    pipeline: Pipeline
    settings: Settings
    windows: tuple[Window, ...]

    @property
    def span(self) -> Window:
        """All months."""
        return Window(self.windows[0].start, self.windows[-1].end)

    def view_uri(self, view: str) -> str:
        """The Delta table of a feature view."""
        return f"{self.settings.lake_uri}/{self.pipeline.name}/features/{view}"


def settings_below(home: Path, *, landing_uri: str = "") -> Settings:
    """Settings whose every place lies below `home`; files may land in the folder of another such home.

    Raises:
        ConfigError: A variable of the environment points elsewhere: nothing but a temporary home is written to.
    """
    settings = load_settings(home=home, landing_uri=landing_uri)
    for name in (*STORES, *(() if landing_uri else ("landing_uri",))):
        if str(settings.home) not in str(getattr(settings, name)):
            raise ConfigError(
                f"AIRLOOP_{name.upper()} points outside the benchmark's temporary home: unset it, "
                "`make bench` measures the embedded default"
            )
    return settings


def build_flights(home: Path, months: int, say: Callable[[str], None]) -> Flights:
    """Land the first months of 2013 and take them as far as validated features."""
    settings = settings_below(home)
    pipeline = load_pipeline("flight_delays", settings)
    covered = Window(pipeline.coverage.start, pipeline.coverage.end or pipeline.coverage.start)
    windows = calendar_windows(pipeline.calendar, covered)[:months]
    say(f"landing {months} months of flights")
    NycFlights().land(f"{settings.landing_uri}/{pipeline.name}", until=windows[-1].end + _LANDS_AFTER)
    for window in windows:
        say(f"data stages of {window.start:%B}")
        run_data(pipeline, window, settings, stages=DATA_STAGES[:-1], run=stage_run.run_stage)
    return Flights(home, pipeline, settings, windows)


def run_data(
    pipeline: Pipeline, window: Window, settings: Settings, *, stages: Sequence[str] = DATA_STAGES, run: RunStage
) -> dict[str, Record]:
    """Run the stages in order, each on the records of those it needs; the records by stage.

    Args:
        run: Called like stage_run.run_stage.
    """
    records: dict[str, Record] = {}
    for name in stages:
        upstream = {need: records[need] for need in find_stage(name).needs}
        records[name] = run(name, Deployment(pipeline, settings), window, upstream=upstream)
    return records
