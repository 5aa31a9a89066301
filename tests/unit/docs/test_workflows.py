"""What the workflows may do: pinned actions, no write but the comment, and nothing of a pull request in a shell."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from airloop.settings import Settings
from airloop_platform import cli

ROOT = Settings().project_dir
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(path.name for path in FOLDER.glob("*.yml"))


def read(name: str) -> dict[str, Any]:
    # YAML takes the key `on` for true.
    content: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text())
    return {"on" if key is True else key: value for key, value in content.items()}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_the_workflows_are_these() -> None:
    assert {"ci.yml", "review.yml"} <= set(WORKFLOWS)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(name: str) -> None:
    used = re.findall(r"uses: (.*)", (FOLDER / name).read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_from_outside_is_pasted_into_a_shell(name: str) -> None:
    for step in steps(read(name)):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_reads_runs_once_a_change_and_ends(name: str) -> None:
    workflow = read(name)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    assert "pull_request_target" not in workflow["on"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        assert job["runs-on"] == "ubuntu-24.04"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_job_that_may_write_runs_no_code_of_the_change(name: str) -> None:
    for job in read(name)["jobs"].values():
        checks_out = any("actions/checkout" in step.get("uses", "") for step in job["steps"])
        assert not (checks_out and "write" in job.get("permissions", {}).values())
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_a_review_runs_when_a_pipeline_or_the_library_changes() -> None:
    paths = read("review.yml")["on"]["pull_request"]["paths"]
    assert paths == ["include/pipelines/**", "feature_repo/**", "include/airloop/**"]
    for path in paths:
        assert (ROOT / path.removesuffix("/**")).is_dir()


def test_the_commands_of_the_review_exist() -> None:
    commands = [shlex.split(step["run"]) for step in steps(read("review.yml")) if "run" in step]
    (review,) = [words for words in commands if words[0].endswith("/airloop")]
    node: Any = typer.main.get_command(cli.app)
    for word in review[1:3]:
        node = node.commands[word]
    known = {option for parameter in node.params for option in parameter.opts}
    assert {word for word in review if word.startswith("--")} <= known
    (make,) = [words for words in commands if words[0] == "make"]
    assert make[1] == ".airloop/base.stamp"
    assert "$(HOME_DIR)/base.stamp:" in (ROOT / "Makefile").read_text()


def test_the_comment_is_written_even_when_the_review_fails() -> None:
    jobs = read("review.yml")["jobs"]
    (upload,) = [step for step in jobs["review"]["steps"] if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "always()"
    assert "!cancelled()" in jobs["comment"]["if"]
    assert "head.repo.full_name == github.repository" in jobs["comment"]["if"]
    assert jobs["comment"]["permissions"] == {"pull-requests": "write"}
    assert Path(upload["with"]["path"]).name in jobs["comment"]["steps"][-1]["run"]
