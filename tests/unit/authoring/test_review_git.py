"""The commit a change is compared with, the files that differ, and the pipelines they concern."""

import subprocess
from pathlib import Path

import pytest

from airloop.authoring import review
from airloop.authoring.review import declaration, git
from airloop.errors import ConfigError

NAMES = ("flights", "toy")
TOY = "include/pipelines/toy"


def run(project: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    return subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout.strip()


def write(project: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout below the top of its repository, with a base on main and the branch `change` checked out."""
    root = tmp_path / "repository" / "project"
    write(root, {f"{TOY}/a.sql": "one", f"{TOY}/b.sql": "kept", "README": "x"})
    write(root, {"feature_repo/toy.py": "definitions", "feature_repo/feature_store.yaml": "store"})
    (root / ".gitignore").write_text("ignored\n")
    run(root.parent, "init", "-b", "main")
    run(root, "add", "-A")
    run(root, "commit", "-m", "base")
    run(root, "checkout", "-b", "change")
    return root


def test_the_base_is_where_the_change_left_main_and_not_what_others_did_since(project: Path) -> None:
    left = run(project, "rev-parse", "HEAD")
    write(project, {f"{TOY}/a.sql": "two"})
    run(project, "commit", "-am", "change")
    run(project, "checkout", "main")
    write(project, {f"{TOY}/b.sql": "others"})
    run(project, "commit", "-am", "of others")
    run(project, "checkout", "change")
    base = review.find_base(project)
    assert (base.ref, base.commit) == ("main", left)
    assert review.changed_files(project, base) == ("include/pipelines/toy/a.sql",)
    assert review.find_base(project, "HEAD").commit == run(project, "rev-parse", "HEAD")


def test_origin_main_comes_before_main(project: Path) -> None:
    run(project, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert review.find_base(project).ref == "origin/main"


def test_without_a_main_the_base_is_what_is_committed(project: Path) -> None:
    run(project, "branch", "-D", "main")
    assert review.find_base(project).ref == "HEAD"


def test_histories_that_share_nothing_are_compared_as_they_are(project: Path) -> None:
    run(project, "checkout", "--orphan", "other")
    run(project, "commit", "-m", "other")
    assert review.find_base(project, "main").commit == run(project, "rev-parse", "main")


@pytest.mark.parametrize("ref", ["nosuch", "--all", "-h", ""])
def test_a_base_that_is_no_commit_is_refused(project: Path, ref: str) -> None:
    with pytest.raises(ConfigError, match=f"--base {ref}: git knows no such commit here"):
        review.find_base(project, ref)


def test_outside_git_there_is_no_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    with pytest.raises(ConfigError, match="not a git repository"):
        review.find_base(tmp_path / "plain")


def test_without_git_there_is_no_base(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(ConfigError, match="git cannot be asked"):
        review.find_base(project)


def test_edited_new_deleted_and_renamed_files_all_count_and_ignored_ones_do_not(project: Path) -> None:
    write(project, {f"{TOY}/a.sql": "edited", "feature_repo/new.py": "n", "ignored": "i"})
    run(project, "mv", "README", "README.md")
    (project / "include/pipelines/toy/b.sql").unlink()
    assert set(review.changed_files(project, review.find_base(project))) == {
        f"{TOY}/a.sql", f"{TOY}/b.sql", "feature_repo/new.py", "README", "README.md"
    }  # fmt: skip


def test_the_declaration_of_the_base_is_what_was_committed(project: Path) -> None:
    base = review.find_base(project)
    before = declaration.base_files("toy", project, base)
    write(project, {f"{TOY}/a.sql": "edited", f"{TOY}/c.py": "new", f"{TOY}/__pycache__/c.pyc": "byte code"})
    write(project, {f"{TOY}/a.sql~": "of an editor", f"{TOY}/.a.sql.swp": "of an editor"})
    after = declaration.current_files("toy", project)
    assert dict(before) == {
        "feature_repo/feature_store.yaml": b"store",
        "feature_repo/toy.py": b"definitions",
        "include/pipelines/toy/a.sql": b"one",
        "include/pipelines/toy/b.sql": b"kept",
    }
    assert declaration.differing(before, after) == ("include/pipelines/toy/a.sql", "include/pipelines/toy/c.py")


def test_a_pipeline_the_base_does_not_declare_has_no_files_there(project: Path) -> None:
    write(project, {"include/pipelines/fresh/pipeline.yaml": "name: fresh"})
    assert declaration.base_files("fresh", project, git.find_base(project)) == {}


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        ("include/pipelines/toy/features.sql", ("toy",)),
        ("include/pipelines/toy/notes/why.md", ("toy",)),
        ("feature_repo/flights.py", ("flights",)),
        ("feature_repo/feature_store.yaml", NAMES),
        ("include/airloop/models/train.py", NAMES),
        ("include/airloop/authoring/review/steps.py", NAMES),
        ("include/pipelines/removed/pipeline.yaml", ()),
        ("feature_repo/removed.py", ()),
        ("include/pipelines/toy", ()),
        ("include/pipelines/toy/.features.sql.swp", ()),
        ("include/pipelines/toy/features.sql~", ()),
        ("include/airloop/__pycache__/train.cpython-311.pyc", ()),
        ("include/nycflights/feeds.py", ()),
        ("docs/include/pipelines/toy/features.sql", ()),
        ("README.md", ()),
    ],
)
def test_a_file_concerns_these_pipelines(path: str, concerned: tuple[str, ...]) -> None:
    assert review.changed_pipelines([path], NAMES) == concerned


def test_several_files_concern_each_pipeline_once() -> None:
    paths = ["feature_repo/toy.py", "include/pipelines/toy/features.sql", "feature_repo/flights.py"]
    assert review.changed_pipelines(paths, NAMES) == NAMES
    assert review.changed_pipelines([], NAMES) == ()
