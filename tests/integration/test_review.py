"""A review of a changed pipeline, from the checkout to the comment: what it compares and refuses, where it writes."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support import toy

from airloop.authoring.review import backtest
from airloop.authoring.review.declaration import Declaration
from airloop.authoring.review.span import Span
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.mlflow import tracking
from airloop_platform import cli

pytestmark = pytest.mark.integration

WITHOUT_HEAT = "features=[job_static])"
WITH_HEAT = "features=[job_static, machine_heat])"
HONEST = "SELECT machine, celsius, known_at, created_at FROM heat;"
AHEAD = (
    "SELECT machine, lead(celsius) OVER (PARTITION BY machine ORDER BY known_at) AS celsius, known_at, created_at "
    "FROM heat;"
)

Reviewed = Callable[..., tuple[int, str, str]]
Edit = Callable[[str, str, str], None]


def git(project: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    subprocess.run(command, cwd=project, check=True, capture_output=True)


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def new_project(root: Path) -> Settings:
    """A repository whose main declares the toy without its best feature; 60 days have landed."""
    settings = toy.write_project(root / "project", Settings().project_dir)
    folder = settings.pipelines_dir / "toy"
    replaced(folder / "pipeline.yaml", "calendar: daily", "calendar: weekly")
    replaced(folder / "pipeline.yaml", "at_least: 0.7", "at_least: 0.5")
    replaced(settings.feature_repo_dir / "toy.py", WITH_HEAT, WITHOUT_HEAT)
    (settings.project_dir / ".gitignore").write_text("home/\n__pycache__/\n")
    git(settings.project_dir, "init", "-b", "main")
    git(settings.project_dir, "add", "-A")
    git(settings.project_dir, "commit", "-m", "base")
    toy.land(settings)
    return settings


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Tests share it: the base's training is done once."""
    return new_project(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A project of its own with a champion in force from day 40 on, trained on the declaration of main."""
    settings = new_project(tmp_path_factory.mktemp("installed"))
    toy.run_data(settings, toy.days(0, 40))
    toy.run_training(settings, 40)
    toy.run("promote", settings, toy.days(0, 40))
    return settings


@pytest.fixture(autouse=True)
def _checkout(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in {"project", "installed"} & set(request.fixturenames):
        git(request.getfixturevalue(name).project_dir, "checkout", "--", ".")


@pytest.fixture
def airloop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Reviewed:
    """The review command in a project: its exit code, the comment, and what it printed."""

    def call(settings: Settings, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(settings.project_dir))
        monkeypatch.setenv("AIRLOOP_HOME", str(settings.home))
        comment = tmp_path / "comment.md"
        with pytest.raises(SystemExit) as left:
            cli.main(("pipelines", "review", *arguments, "--output", str(comment)))
        return left.value.code, comment.read_text() if comment.is_file() else "", "".join(capsys.readouterr())

    return call


def edit(settings: Settings, file: str, old: str, new: str) -> None:
    folder = settings.feature_repo_dir if file == "toy.py" else settings.pipelines_dir / "toy"
    replaced(folder / file, old, new)


def everything_but_the_review(settings: Settings) -> dict[str, str]:
    """Path -> digest of every file of the checkout and its home; SQLite's lock files come and go."""
    scratch = settings.home / "review"
    paths = [path for path in settings.project_dir.rglob("*") if path.is_file() and scratch not in path.parents]
    kept = [path for path in paths if path.suffix not in (".db-shm", ".db-wal")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_a_change_that_improves_would_pass(project: Settings, airloop: Reviewed) -> None:
    edit(project, "toy.py", WITHOUT_HEAT, WITH_HEAT)
    before = everything_but_the_review(project)
    code, comment, said = airloop(project, "toy")
    assert code == 0, comment
    assert "**The gate would let it pass**: `gain in Brier 0." in comment
    assert "Features: `+ celsius`; their definitions mean something else now." in comment
    assert "### Against `the declaration of main at " in comment
    assert "- Not the champion here: `no champion was in force here at 2020-03-01`" in comment
    assert "passed: features rebuilt from what was known at 2 decision times" in comment
    assert "toy: The gate would let it pass" in said
    assert everything_but_the_review(project) == before


def test_a_second_review_does_nothing_twice(project: Settings, airloop: Reviewed) -> None:
    edit(project, "toy.py", WITHOUT_HEAT, WITH_HEAT)
    first = airloop(project, "toy")
    folders = sorted((project.home / "review" / "toy").iterdir())
    assert airloop(project, "toy")[:2] == first[:2]
    assert sorted((project.home / "review" / "toy").iterdir()) == folders


def test_a_change_that_changes_nothing_is_called_equal(project: Settings, airloop: Reviewed) -> None:
    edit(project, "pipeline.yaml", "owner: tests", "owner: somebody")
    code, comment, _ = airloop(project, "toy")
    assert code == 0, comment
    assert "**Equal**: the change scores as the champion does" in comment
    assert "- `owner: tests -> somebody`" in comment
    assert "Features: none added, none removed; their definitions mean what they meant." in comment
    assert airloop(project, "toy", "--strict")[0] == 1


def test_a_leaking_change_is_named_by_its_column(project: Settings, airloop: Reviewed) -> None:
    edit(project, "toy.py", WITHOUT_HEAT, WITH_HEAT)
    edit(project, "features.sql", HONEST, AHEAD)
    code, comment, said = airloop(project, "toy")
    assert code == 1
    assert "**It leaks**" in comment
    assert "| leak check | **failed**: `leak: feature 'celsius' of j" in comment
    assert "### Against" not in comment
    assert "toy: It leaks" in said


def test_a_broken_declaration_is_refused_before_anything_runs(project: Settings, airloop: Reviewed) -> None:
    edit(project, "pipeline.yaml", "holdout_days: 15", "holdut_days: 15")
    code, comment, _ = airloop(project, "toy")
    assert code == 1
    assert "**The declaration is broken**; nothing of it was run." in comment
    assert "training.holdut_days: unknown key; did you mean 'holdout_days'?" in comment
    assert "- `include/pipelines/toy/pipeline.yaml`" in comment


def test_a_change_that_cannot_be_trained_is_refused_with_what_the_library_says(
    project: Settings, airloop: Reviewed
) -> None:
    edit(project, "pipeline.yaml", "max_leaf_nodes: [4, 8]", "max_leaf_nodes: [many]")
    code, comment, _ = airloop(project, "toy")
    assert code == 1
    assert "**The declaration is broken**; nothing of it was run." in comment
    assert "max_leaf_nodes" in comment


def test_a_change_of_what_is_predicted_is_not_compared_with_the_base(project: Settings, airloop: Reviewed) -> None:
    edit(project, "features.sql", "failed::DOUBLE AS label", "(NOT failed)::DOUBLE AS label")
    code, comment, _ = airloop(project, "toy")
    assert code == 0, comment
    assert "there was no champion to compare with" in comment
    assert "is judged on other rows or labels: 0 of the change's 900 are among its 900" in comment


def test_an_unchanged_pipeline_is_checked_and_not_compared_with_itself(project: Settings, airloop: Reviewed) -> None:
    code, comment, _ = airloop(project, "toy")
    assert code == 0, comment
    assert "No file of the declaration differs from `main at " in comment
    assert "the same model would be trained again" in comment


def test_without_a_name_the_changed_pipelines_are_reviewed(project: Settings, airloop: Reviewed) -> None:
    code, comment, _ = airloop(project)
    assert (code, comment) == (0, "No pipeline is concerned by this change.\n")
    edit(project, "pipeline.yaml", "holdout_days: 15", "holdut_days: 15")
    code, comment, _ = airloop(project)
    assert code == 1
    assert "## Review of `toy`" in comment


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("toi",), "did you mean 'toy'"), (("toy", "--base", "nosuch"), "git knows no such commit here")],
)
def test_what_cannot_be_reviewed_is_one_line_and_no_comment(
    project: Settings, airloop: Reviewed, arguments: tuple[str, ...], says: str
) -> None:
    code, comment, said = airloop(project, *arguments)
    assert (code, comment, len(said.splitlines())) == (1, "", 1)
    assert says in said


def test_the_champion_in_force_is_asked_first_and_the_installation_only_read(
    installed: Settings, airloop: Reviewed
) -> None:
    edit(installed, "pipeline.yaml", "early_stopping: false, max_iter: 20", "early_stopping: false, max_iter: 40")
    before = everything_but_the_review(installed)
    decided, versions = ledger.entries(installed, "toy"), tracking.client(installed).search_model_versions("name='toy'")
    code, comment, _ = airloop(installed, "toy")
    assert code == 0, comment
    assert "### Against `version 1, in force here`" in comment
    assert "The champion was trained on other rows than the change" in comment
    assert everything_but_the_review(installed) == before
    assert ledger.entries(installed, "toy") == decided
    assert len(tracking.client(installed).search_model_versions("name='toy'")) == len(versions)


def test_a_champion_of_features_that_mean_something_else_gives_way_to_the_base(
    installed: Settings, airloop: Reviewed
) -> None:
    edit(installed, "toy.py", WITHOUT_HEAT, WITH_HEAT)
    code, comment, _ = airloop(installed, "toy")
    assert code == 0, comment
    assert "version 1, in force here, was trained on other features" in comment
    assert "### Against `the declaration of main at " in comment


def test_a_champion_that_saw_the_holdout_gives_way_and_so_does_a_base_of_another_holdout(
    installed: Settings, airloop: Reviewed
) -> None:
    edit(installed, "pipeline.yaml", "holdout_days: 15", "holdout_days: 37")
    code, comment, _ = airloop(installed, "toy", "--days", "60")
    assert code == 0, comment
    assert "was trained on rows up to 2020-01-24, and the holdout starts at 2020-01-23" in comment
    assert "is judged on other rows or labels: 900 of the change's 2220 are among its 900" in comment
    assert "there was no champion to compare with" in comment


def test_every_store_of_a_review_lies_below_its_folder(project: Settings, tmp_path: Path) -> None:
    outside = project.model_copy(update={"lake_uri": "s3://production", "storage_options": {"key": "secret"}})
    span = Span((toy.days(0, 7),), str(tmp_path / "landing"), "test")
    declared = Declaration({}, toy.toy_pipeline(project), outside.model_copy(update={"project_dir": tmp_path}))
    own = backtest.at_work(declared, span, tmp_path).settings
    elsewhere = {name for name in type(own).model_fields if str(tmp_path) not in str(getattr(own, name))}
    # Neither what an installation asks of people nor an engine, which only computes, is a store.
    computes = {"engine", "engine_url", "engine_reads_lake"}
    assert elsewhere == {"storage_options", "connections", "mlflow_ui_url", "airflow_users", "approval"} | computes
    assert (own.storage_options, own.connections, own.mlflow_ui_url) == ({}, {}, "")
