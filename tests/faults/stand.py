"""A home with a champion of January to March, made once without Airflow; April lives through a copy of it."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from airloop.config import Pipeline, load_pipeline
from airloop.deployment import Deployment
from airloop.records import Action, Decision, Record, Window
from airloop.run import stage_run
from airloop.settings import Settings, load_settings
from nycflights import NycFlights

from .fault import Fault
from .landed import DATED, Landed
from .reaction import Reaction

NAME = "flight_delays"
PROJECT = Path(__file__).resolve().parents[2]
# Profile describes and materialize copies: neither judges what landed.
_DATA = ("ingest", "validate_raw", "build_features", "validate_features")
_JUDGES = ("ingest", "validate_raw")
_MODELS = ("score", "monitor", "triage")
_AHEAD = timedelta(days=2)


def month(number: int) -> Window:
    """A calendar month of 2013 in UTC."""
    return Window(datetime(2013, number, 1, tzinfo=UTC), datetime(2013 + number // 12, number % 12 + 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Stand:
    """Homes below a folder: `quarter` (January to March, a champion), `scored` (April predicted, no outcomes yet).

    `april` beside them holds April's files as they land when nothing is wrong, `tables.json`, written last, what its
    clean tables come to. The models of `quarter` are read by all its copies, which write lake, state and landing of
    their own.

    Attributes:
        data_only: No model is trained, April is neither scored nor monitored: only what ingestion and validation say,
            in a fifth of the time.
        brief: One trial of each candidate, one fit of the best, and the training that the gate refuses in March is left
            out: half the time.
    """

    root: Path
    data_only: bool = False
    brief: bool = False

    @property
    def ready(self) -> bool:
        """Whether it was prepared to the end."""
        return self._tables.exists()

    def prepare(self) -> None:
        """Three months as `make demo MONTHS=3` takes them, then April's inputs without a fault."""
        shutil.rmtree(self.root, ignore_errors=True)
        loop = self._loop("quarter")
        for number in (1, 2, 3):
            loop.take(month(number), data_only=self.data_only)
        loop.close_march()
        land_april(self.root / "april")
        self._score_april()
        self._note_tables()

    def again(self) -> None:
        """The data stages of the prepared months once more, by the code as it is now; the champions stay."""
        loop = self._loop("quarter")
        for number in (1, 2, 3):
            loop.data(month(number))
        self._score_april()
        self._note_tables()

    def react(self, fault: Fault, folder: Path, *, judged_only: bool = False, brief: bool = False) -> Reaction:
        """What the platform says to April with a fault: until a stage refuses, or triage has decided.

        Args:
            judged_only: Only judge what landed: of equal clean tables all that follows is equal.
            brief: Stop once what landed was judged and an alarm has rung: no features, no scores, no monitoring.
        """
        began = time.monotonic()
        files = Landed(folder / "april")
        shutil.copytree(self.root / "april", files.root)
        fault.plant(files)
        late = fault.outcomes_only
        self.copy("scored" if late else "quarter", folder / "home")
        loop = Loop(self.settings_at(folder / "home"), brief=self.brief)
        reaction = Reaction(fault.name)
        for stage in loop.april(files, scored=late):
            if stage not in (_JUDGES if judged_only else _DATA if self.data_only else (*_DATA, *_MODELS)):
                continue
            if brief and reaction.alarms and stage not in _JUDGES:
                break
            try:
                reaction = reaction.hearing(stage, loop.run(stage, month(4)))
            except Exception as error:
                reaction = reaction.refusing(stage, error)
                break
        shutil.rmtree(folder)
        same = reaction.tables == json.loads(self._tables.read_text()) if self.ready else None
        return replace(reaction, same=same, seconds=time.monotonic() - began)

    def copy(self, name: str, home: Path) -> None:
        """A home that grows on its own; what is never written in place is shared."""
        shutil.copytree(self.root / name, home, copy_function=_share, ignore=shutil.ignore_patterns("ml*", "run"))

    def settings_at(self, home: Path) -> Settings:
        """Of a home below the stand: its own stores, the models of `quarter`."""
        models = self.root / "quarter"
        uris = {"mlflow_tracking_uri": f"sqlite:///{models}/mlflow.db", "mlflow_artifact_uri": f"{models}/mlartifacts"}
        return load_settings(project_dir=PROJECT, home=home, **uris)

    def _loop(self, home: str) -> "Loop":
        return Loop(self.settings_at(self.root / home), brief=self.brief)

    @property
    def _tables(self) -> Path:
        return self.root / "tables.json"

    def _note_tables(self) -> None:
        nothing = Fault("", lambda _files: None, how="", before="", says=None, outcomes_only=True)
        self._tables.unlink(missing_ok=True)
        reaction = self.react(nothing, self.root / "noted", judged_only=True)
        self._tables.write_text(json.dumps(reaction.tables))

    def _score_april(self) -> None:
        shutil.rmtree(self.root / "scored", ignore_errors=True)
        self.copy("quarter", self.root / "scored")
        loop = self._loop("scored")
        loop.put(Landed(self.root / "april"), [feed for feed in DATED if feed != "arrivals"])
        loop.data(month(4))
        if not self.data_only:
            loop.run("score", month(4))


class Loop:
    """The stages of flight_delays by hand, in the order of the demo."""

    def __init__(self, settings: Settings, *, brief: bool = False) -> None:
        self.settings, self.brief = settings, brief
        self.pipeline: Pipeline = load_pipeline(NAME, settings)
        if brief:
            declared = self.pipeline.training
            budget = declared.budget.model_copy(update={"trials": 1})
            single = declared.ensemble.model_copy(update={"fits": 1})
            training = declared.model_copy(update={"budget": budget, "ensemble": single, "leak_check_times": 1})
            self.pipeline = self.pipeline.model_copy(update={"training": training})
        self.landing = Path(settings.landing_uri) / NAME
        self.inputs = [feed for feed, declared in self.pipeline.feeds.items() if not declared.outcome]

    def run(self, stage: str, window: Window, **options: str) -> Record:
        """One stage on the stored records of its window."""
        upstream = stage_run.stored_upstream(stage, Deployment(self.pipeline, self.settings), window)
        return stage_run.run_stage(
            stage, Deployment(self.pipeline, self.settings), window, upstream=upstream, **options
        )

    def data(self, window: Window) -> None:
        """What landed becomes features."""
        for stage in _DATA:
            self.run(stage, window)

    def take(self, window: Window, *, data_only: bool) -> None:
        """A month: inputs, scores, outcomes, monitoring, and the training that is asked for."""
        self.land(self.inputs, until=window.end + _AHEAD)
        if window == month(3):
            # The months before it are not scored: they are built once, with their outcomes.
            self.data(window)
            if not data_only:
                self.run("score", window)
        self.land(["arrivals"], until=window.end)
        if window.start > self.pipeline.coverage.start:
            # Outcomes of its last evening have landed too.
            self.data(month(window.start.month - 1))
            self.data(window)
        if data_only:
            return
        if window == month(2):
            self.train(window.end, reason="hand", reason_key="the first model")
        if window == month(3):
            self.run("monitor", window)
            action = self.run("triage", window)
            if not isinstance(action, Action) or action.kind != "nothing":
                raise AssertionError(f"March asks for more than nothing: {action}")
            if not self.brief:
                # A person insists, as in the demo, and the gate refuses.
                self.train(window.end, reason="hand", reason_key=f"by hand {window.end:%Y-%m-%d}")

    def close_march(self) -> None:
        """The outcomes of March's last evening, which land in April."""
        self.land(["arrivals"], until=month(4).start + timedelta(hours=8))
        self.data(month(3))

    def train(self, cutoff: datetime, *, reason: str, reason_key: str) -> None:
        """A training, and the promotion of what passes."""
        window = Window(self.pipeline.coverage.start, cutoff)
        self.run("snapshot", window, reason=reason, reason_key=reason_key)
        for candidate in self.pipeline.training.candidates:
            self.run("tune", window, candidate=candidate)
        for stage in ("train", "evaluate"):
            self.run(stage, window)
        decision = self.run("decide", window)
        if isinstance(decision, Decision) and decision.passed:
            self.run("refit", window)
            self.run("promote", window)

    def land(self, feeds: list[str], *, until: datetime) -> None:
        """What the upstream system has sent until then."""
        NycFlights().land(str(self.landing), until=until, feeds=feeds)

    def put(self, files: Landed, feeds: list[str]) -> None:
        """April's files of some feeds in place of what landed for those days."""
        for feed in feeds:
            for path in (self.landing / feed).glob("2013-04-*"):
                path.unlink()
            for path in sorted((files.root / feed).iterdir()):
                shutil.copy(path, self.landing / feed)

    def april(self, files: Landed, *, scored: bool) -> Iterator[str]:
        """The stages of April, files landing in between."""
        if not scored:
            self.put(files, [feed for feed in DATED if feed != "arrivals"])
            yield from _DATA
            yield "score"
        self.put(files, ["arrivals"])
        yield from _DATA
        yield "monitor"
        yield "triage"


def land_april(folder: Path) -> None:
    """The files of April's New York days, a folder for each feed."""
    upstream = NycFlights()
    for feed in DATED:
        (folder / feed).mkdir(parents=True)
        for day in (date(2013, 4, number) for number in range(1, 31)):
            text = upstream.files(feed)[day].write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ")
            (folder / feed / upstream.file_name(feed, day)).write_text(text)


def _share(source: str, target: str) -> None:
    # Landed files and Parquet files are replaced or removed, never written into; databases and logs are.
    if source.endswith((".parquet", ".csv")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)
