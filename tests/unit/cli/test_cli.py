"""The command line: one line per error, an example per command, machine-readable where a machine asks."""

import json
from typing import Any

import pytest
import typer
from tests.support import toy
from tests.support.command import Airloop, Outcome

from airloop.errors import UpstreamUnavailable
from airloop.run import stage_run
from airloop.settings import Settings
from airloop_platform import cli, supervisor

START = "2020-01-01T00:00:00Z"
END = "2020-01-02T00:00:00Z"


def _commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(path, command)]
    return [found for name, child in inner.items() for found in _commands(child, (*path, name))]


COMMANDS = _commands(typer.main.get_command(cli.app))


def test_the_commands_are_these() -> None:
    assert {" ".join(path) for path, _ in COMMANDS} >= {
        "demo", "up", "down", "status", "run", "schema", "pipelines check", "ledger show", "ledger at", "ledger verify",
    }  # fmt: skip


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=" ".join)
def test_every_command_explains_itself_with_an_example_of_itself(path: tuple[str, ...], airloop: Airloop) -> None:
    shown = airloop(*path, "--help")
    assert shown.code == 0
    assert f"Example: airloop {' '.join(path)}" in " ".join(shown.out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=lambda item: " ".join(item) if isinstance(item, tuple) else ""
)
def test_the_options_of_an_example_exist(path: tuple[str, ...], command: Any) -> None:
    words = (command.epilog or "").split()
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "ingest", "nosuch"),
        ("run", "digest", "toy"),
        ("run", "ingest", "toy", "--start", "yesterday"),
        ("run", "ingest", "toy", "--start", "2020-01-01"),
        ("run", "ingest", "toy", "--start", END, "--end", START),
        ("run", "ingest", "toy"),
        ("run", "validate_raw", "toy", "--start", START, "--end", END),
        ("run", "ingest", "toy", "--option", "mode"),
        ("run", "ingest", "toy", "--option", "mode=live"),
        ("run", "tune", "toy", "--start", START, "--end", END),
        ("run", "training", "toy", "--option", "candidate=x"),
        ("run", "training", "toy", "--start", END, "--end", "2020-02-01"),
        ("run", "training", "toy", "--end", "2020-03-02"),
        ("run", "ingest", "toy", "--start", "2019-12-31", "--end", START),
        ("run", "score", "toy", "--start", "2020-02-29", "--end", "2020-03-02"),
        ("run", "monitor", "toy", "--start", "2030-01-01", "--end", "2030-01-02"),
        ("run", "ingest,validate_raw", "toy", "--option", "mode=live"),
        ("run", "ingest,digest", "toy", "--start", START, "--end", END),
        ("ledger", "show", "tou"),
        ("ledger", "at", "toy", "noon"),
        ("pipelines", "check", "tou"),
    ],
    ids=" ".join,
)
def test_an_error_is_one_line_on_stderr_and_the_exit_code_is_1(arguments: tuple[str, ...], airloop: Airloop) -> None:
    failed = airloop(*arguments)
    assert failed.code == 1
    assert failed.out == ""
    assert failed.err.startswith("error: ")
    assert len(failed.err.splitlines()) == 1
    assert "Traceback" not in failed.err


@pytest.mark.parametrize(
    ("stage", "start", "end", "says"),
    [
        ("ingest", "2019-12-31", "2020-01-01", "outside the coverage [2020-01-01T00:00:00Z, 2020-03-01T00:00:00Z)"),
        ("monitor", "2020-02-29", "2020-03-02", "outside the coverage"),
        ("promote", "2020-01-01", "2020-03-02", "outside the coverage"),
        ("training", "2020-01-02", "2020-02-01", "leave --start out; how far back it learns is training.history_days"),
    ],
)
def test_a_window_outside_the_coverage_and_a_start_of_a_training_are_refused(
    airloop: Airloop, stage: str, start: str, end: str, says: str
) -> None:
    assert says in airloop("run", stage, "toy", "--start", start, "--end", end).err


def test_a_long_error_is_not_wrapped(airloop: Airloop) -> None:
    failed = airloop("run", "ingest", "x" * 4000)
    assert len(failed.err.splitlines()) == 1
    assert "x" * 4000 in failed.err


def test_brackets_in_an_error_are_shown_as_they_are(airloop: Airloop) -> None:
    assert "[red]toy" in airloop("run", "ingest", "[red]toy").err


@pytest.mark.parametrize("place", [0, 1, 3])
def test_debug_anywhere_shows_where_the_error_arose(
    place: int, toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    arguments = ["run", "ingest", "nosuch"]
    arguments.insert(place, "--debug")
    with pytest.raises(Exception, match="unknown pipeline 'nosuch'"):
        cli.main(arguments)


def test_a_store_that_does_not_answer_is_one_line_without_its_password(
    airloop: Airloop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRLOOP_STATE_URL", "postgresql://user:secret@127.0.0.1:1/x")
    failed = airloop("ledger", "show", "toy")
    assert failed.code == 1
    assert failed.err.startswith(f"error: {UpstreamUnavailable.__name__}: state database postgresql://user:***@")
    assert "secret" not in failed.err


def test_an_unreadable_variable_is_one_line(airloop: Airloop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLOOP_ONLINE_STORE", "not json")
    failed = airloop("ledger", "show", "toy")
    assert (failed.code, len(failed.err.splitlines())) == (1, 1)
    assert "online_store" in failed.err


@pytest.mark.parametrize("arguments", [("nosuch",), ("run",), ("status", "--nosuch"), ("demo", "--months", "13")])
def test_wrong_usage_is_explained_and_the_exit_code_is_2(arguments: tuple[str, ...], airloop: Airloop) -> None:
    failed = airloop(*arguments)
    assert failed.code == 2
    assert "Usage: " in failed.err
    assert "Traceback" not in failed.err


def test_an_interruption_is_no_traceback(airloop: Airloop, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(supervisor, "status", interrupt)
    assert airloop("status").code == 130
    assert "Traceback" not in airloop("status").err


def test_status_of_a_platform_that_is_down_lists_every_service_and_exits_with_3(airloop: Airloop) -> None:
    shown = airloop("status", "--json")
    services = json.loads(shown.out)
    assert shown.code == 3
    assert {"api-server", "scheduler", "mlflow"} <= {service["name"] for service in services}
    assert all(set(service) == {"name", "url", "healthy", "pid", "restarts"} for service in services)
    assert not any(service["healthy"] for service in services)


def test_status_for_a_person_says_the_same(airloop: Airloop) -> None:
    shown = airloop("status")
    assert shown.code == 3
    assert "scheduler" in shown.out
    assert "down" in shown.out


def test_down_without_a_platform_is_no_error(airloop: Airloop) -> None:
    assert airloop("down") == Outcome(0, "nothing was running\n", "")


def test_a_stage_run_by_hand_prints_its_record(airloop: Airloop, toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    arguments = ("run", "ingest", "toy", "--start", START, "--end", END)
    first, again = airloop(*arguments), airloop(*arguments)
    assert first == again
    assert first.code == 0
    assert {table["table"]: table["rows"] for table in json.loads(first.out)["tables"]}["jobs"] == toy.ROWS_A_DAY


def test_stages_that_a_comma_joins_run_in_their_order_and_end_at_the_first_that_fails(
    airloop: Airloop, toy_settings: Settings
) -> None:
    window = ("toy", "--start", START, "--end", END)
    toy.land(toy_settings, days=range(1))
    both = airloop("run", "ingest,validate_raw", *window)
    assert both.code == 0
    assert both.out == airloop("run", "ingest", *window).out + airloop("run", "validate_raw", *window).out
    failed = airloop("run", "ingest,train,validate_raw", *window)
    assert "needs the record of snapshot: run snapshot first" in failed.err
    assert failed.out == airloop("run", "ingest", *window).out


def test_without_a_window_the_coverage_is_taken(airloop: Airloop, toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(60))
    shown = json.loads(airloop("run", "ingest", "toy").out)
    assert shown["window"] == {"start": START, "end": "2020-03-01T00:00:00Z"}


def test_options_reach_the_stage(airloop: Airloop, monkeypatch: pytest.MonkeyPatch, toy_settings: Settings) -> None:
    seen: dict[str, Any] = {}
    toy.land(toy_settings, days=range(1))
    record = toy.run("ingest", toy_settings, toy.days(0, 1))

    def run_stage(*given: Any, **options: Any) -> Any:
        seen.update(options, stage=given[0])
        return record

    monkeypatch.setattr(stage_run, "run_stage", run_stage)
    airloop("run", "snapshot", "toy", "--option", "reason=hand", "--option", "reason_key=a=b")
    assert (seen["stage"], seen["reason"], seen["reason_key"]) == ("snapshot", "hand", "a=b")
