"""A project of one's own: what is written, and that nothing of anybody else's is."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.support import compose_file, tables
from tests.support.command import Airloop, in_checkout

from airloop.authoring.pipeline_check import check_pipeline
from airloop.authoring.row_test import differences, read_tests
from airloop.config import load_pipeline
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings
from airloop_platform.project import shipped, wheel

CLONE = Path(__file__).resolve().parents[3]
THIN = [f"dags/airloop_{name}_dag.py" for name in ("data", "inbox", "monitoring", "promotion", "scoring", "training")]
OF_AN_AIRFLOW_PROJECT = {
    *shipped.thin_files(),
    "feature_repo/mine.py",
    "include/pipelines/mine/tests/two_rows.yaml",
    *(f"include/pipelines/mine/{name}" for name in ("pipeline.yaml", "features.sql", "expectations.yaml")),
    "data/newark_weather.csv",
}
OF_A_WHOLE_ONE = {
    *(".dockerignore", ".env.example", ".github/workflows/ci.yml", ".gitignore", "Dockerfile", "Makefile", "README.md"),
    *("docker-compose.yml", "pyproject.toml", "requirements.txt", "requirements-dev.txt"),
    *("tests/test_dags.py", "tests/test_mine.py"),
}


@pytest.fixture
def whl(tmp_path: Path) -> Path:
    path = tmp_path / "dist" / f"airloop-{shipped.version()}-py3-none-any.whl"
    path.parent.mkdir()
    path.write_bytes(b"a wheel")
    return path


@pytest.fixture
def airloop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], whl: Path) -> Airloop:
    """`airloop init ... --wheel` in a folder where no project is."""
    call = in_checkout(Settings(project_dir=tmp_path / "none"), monkeypatch, capsys)
    monkeypatch.delenv("AIRLOOP_PROJECT_DIR")
    monkeypatch.delenv("AIRLOOP_HOME")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: call("init", *arguments, "--wheel", str(whl))


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".git/" not in path.as_posix())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def refused(outcome: object, *words: str) -> None:
    """One line that says all of these."""
    assert outcome.code == 1  # type: ignore[attr-defined]
    (line,) = outcome.err.strip().splitlines()  # type: ignore[attr-defined]
    assert line.startswith("error: ")
    assert [word for word in words if word not in line] == []


def test_a_new_folder_becomes_a_whole_project(airloop: Airloop, tmp_path: Path, whl: Path) -> None:
    done = airloop("My Shop", "--pipeline", "mine")
    assert done.code == 0, done.err
    written = files(tmp_path / "My Shop")
    assert set(written) == OF_AN_AIRFLOW_PROJECT | OF_A_WHOLE_ONE | {f"wheels/{whl.name}"}
    assert written["requirements.txt"].decode().splitlines()[1:3] == [
        "--find-links wheels",
        f"airloop=={shipped.version()}",
    ]
    assert b"jinja" not in b"".join(written[name] for name in OF_A_WHOLE_ONE)
    settings = load_settings(project_dir=tmp_path / "My Shop")
    assert check_pipeline("mine", settings)
    assert "pipelines check mine" in done.out
    assert "rows of" in done.out


def test_a_projects_pipeline_comes_with_two_rows_that_pass(airloop: Airloop, tmp_path: Path) -> None:
    assert airloop("shop", "--pipeline", "mine").code == 0
    settings = load_settings(project_dir=tmp_path / "shop")
    (test,) = read_tests(load_pipeline("mine", settings), settings)
    assert differences(load_pipeline("mine", settings), test, settings) == []


def test_the_commands_that_land_the_table_are_printed_with_what_was_said_of_it(
    airloop: Airloop, tmp_path: Path
) -> None:
    rows = [{**row, "ordered_at": row["ordered_at"].removesuffix("Z")} for row in tables.orders()]
    tables.write(tmp_path / "my_orders.csv", tables.without(rows, "paid_at"))
    asked = ("--pipeline", "mine", "--from", "my_orders.csv", "--label", "returned", "--timezone", "Asia/Tokyo")
    done = airloop("shop", *asked)
    assert done.code == 0, done.err
    for feed in ("events", "outcomes"):
        assert f"airloop land mine {feed} data/my_orders.csv --timezone Asia/Tokyo" in done.out
    assert "airloop replay mine --anew" in done.out


def test_the_clone_has_the_same_thin_files_as_every_project() -> None:
    thin = shipped.thin_files()
    assert set(THIN) < set(thin)
    assert {name: (CLONE / name).read_bytes() for name in thin} == thin
    assert sorted(path.name for path in (CLONE / "dags").glob("*.py")) == sorted(
        Path(name).name for name in thin if name.startswith("dags/")
    )


def test_thin_files_import_airloop_and_define_nothing() -> None:
    for name, content in shipped.thin_files().items():
        if name.endswith(".py"):
            text = content.decode()
            assert set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)) <= {"airloop", "airloop_airflow"}
            assert re.findall(r"^(def|class) ", text, re.MULTILINE) == []


@pytest.mark.parametrize("kept", [".git/config", ".venv/pyvenv.cfg", "own.csv"])
def test_what_people_have_before_they_begin_is_no_obstacle(airloop: Airloop, tmp_path: Path, kept: str) -> None:
    there = tmp_path / "shop" / kept
    there.parent.mkdir(parents=True)
    there.write_text("kept")
    options = []
    if kept == "own.csv":
        tables.write(there, tables.orders(900))
        options = ["--from", str(there), "--label", "returned"]
    content = there.read_bytes()
    done = airloop("shop", "--pipeline", "mine", *options)
    assert done.code == 0, done.err
    assert there.read_bytes() == content


def test_a_table_of_ones_own_is_the_first_pipeline_and_what_the_demo_lands(airloop: Airloop, tmp_path: Path) -> None:
    table = tables.write(tmp_path / "orders.csv", tables.orders(900))
    done = airloop("shop", "--pipeline", "returns", "--from", str(table), "--label", "returned", "--timezone", "UTC")
    assert done.code == 0, done.err
    project = tmp_path / "shop"
    assert (project / "data" / "orders.csv").read_bytes() == table.read_bytes()
    makefile = (project / "Makefile").read_text()
    for feed in ("events", "outcomes"):
        assert f"airloop land returns {feed} data/orders.csv --timezone UTC\n" in makefile
    assert "airloop run data,training,promote returns --end 2" in makefile
    assert "noise" not in (project / "tests" / "test_returns.py").read_text()


def test_a_second_call_writes_nothing_and_one_after_a_kill_the_rest(airloop: Airloop, tmp_path: Path) -> None:
    airloop("shop", "--pipeline", "mine")
    whole = files(tmp_path / "shop")
    assert "0 files written" in airloop("shop", "--pipeline", "mine").out
    (tmp_path / "shop" / "Makefile").unlink()
    shutil.rmtree(tmp_path / "shop" / "include")
    (tmp_path / "shop" / ".airloop-init-Makefile").write_text("half")
    assert airloop("shop", "--pipeline", "mine").code == 0
    assert files(tmp_path / "shop") == whole | {}


def existing(folder: Path) -> Path:
    """A project as Astronomer's command makes one."""
    for name, text in {
        "dags/exampledag.py": "from airflow.sdk import dag\n",
        "dags/data_dag.py": "their own\n",
        "plugins/theirs.py": "",
        "include/helpers.py": "",
        "requirements.txt": "pandas\n",
        "Dockerfile": "FROM astrocrpublic.azurecr.io/runtime:3.3-1\n",
        "README.md": "theirs\n",
        ".gitignore": ".env\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_an_airflow_project_gets_what_it_lacks_and_keeps_what_it_has(
    airloop: Airloop, tmp_path: Path, whl: Path
) -> None:
    theirs = existing(tmp_path / "theirs")
    before = files(theirs)
    done = airloop("theirs", "--into-airflow", "--pipeline", "mine")
    assert done.code == 0, done.err
    after = files(theirs)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == OF_AN_AIRFLOW_PROJECT | {f"wheels/{whl.name}"}
    assert f"add a line to requirements.txt: airloop=={shipped.version()}" in done.out
    (theirs / "dags" / "airloop_data_dag.py").unlink()
    assert "1 files written" in airloop("theirs", "--into-airflow", "--pipeline", "mine").out
    assert load_settings(project_dir=theirs).pipelines_dir.is_dir()


@pytest.mark.parametrize(
    "name", ["plugins/airloop_plugin.py", "feature_repo/feature_store.yaml", "data/newark_weather.csv"]
)
def test_a_file_with_another_content_is_named_and_nothing_is_written(
    airloop: Airloop, tmp_path: Path, name: str
) -> None:
    theirs = existing(tmp_path / "theirs")
    (theirs / name).parent.mkdir(parents=True, exist_ok=True)
    (theirs / name).write_text("another\n")
    before = files(theirs)
    refused(airloop("theirs", "--into-airflow"), str(Path("theirs") / name), "not overwritten")
    assert files(theirs) == before


def test_an_error_while_writing_takes_away_what_was_written(airloop: Airloop, tmp_path: Path) -> None:
    theirs = existing(tmp_path / "theirs")
    (theirs / "feature_repo").write_text("a file where a folder has to be\n")
    before = files(theirs)
    refused(airloop("theirs", "--into-airflow"), "feature_repo", "cannot be written", "nothing was left behind")
    assert files(theirs) == before
    assert not (theirs / "wheels").exists()


def occupied(folder: Path) -> None:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.py").write_text("")


def a_file(folder: Path) -> None:
    folder.write_text("")


def below_a_file(folder: Path) -> None:
    folder.parent.joinpath("plain").write_text("")


def a_spaced_table(folder: Path) -> None:
    tables.write(folder.parent / "my orders.csv", tables.orders(900))


WRONG: dict[str, tuple[Callable[[Path], object] | None, list[str], list[str]]] = {
    "not empty": (occupied, ["shop"], ["shop is not empty", "src/main.py", "--into-airflow"]),
    "a file": (a_file, ["shop"], ["shop is a file"]),
    "below a file": (below_a_file, ["plain/shop"], ["plain", "cannot be"]),
    "not writable": (None, ["/proc/airloop-shop"], ["/proc/airloop-shop", "cannot be written"]),
    "no airflow project": (None, ["shop", "--into-airflow"], ["no dags/", "leave out --into-airflow"]),
    "no name": (None, ["shop", "--pipeline", "My Pipeline"], ["'My Pipeline'", "like taxi_tips"]),
    "no table": (None, ["shop", "--pipeline", "mine", "--from", "nosuch.csv"], ["nosuch.csv", "no such file"]),
    "a table without a name": (None, ["shop", "--from", "x.csv"], ["--pipeline NAME"]),
    "a name for no file": (a_spaced_table, ["shop", "--pipeline", "mine", "--from", "my orders.csv"], ["rename it"]),
    "roles without a table": (None, ["shop", "--label", "x"], ["add --from"]),
    "a dialect without a table": (None, ["shop", "--decimal", ","], ["add --from"]),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_bad_input_gets_one_line_and_writes_nothing(airloop: Airloop, tmp_path: Path, case: str) -> None:
    prepare, arguments, words = WRONG[case]
    if prepare is not None:
        prepare(tmp_path / "shop")
    before = files(tmp_path)
    refused(airloop(*arguments), *words)
    assert files(tmp_path) == before


def test_a_wheel_of_another_version_or_none_is_refused(tmp_path: Path, whl: Path) -> None:
    other = tmp_path / "airloop-0.0.1-py3-none-any.whl"
    other.touch()
    assert wheel.find_wheel(whl) == wheel.find_wheel(whl.parent) == whl
    for asked in (other, tmp_path, tmp_path / "nosuch"):
        with pytest.raises(ConfigError, match=re.escape(f"--wheel {asked}")):
            wheel.find_wheel(asked)


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        ('{{"url": "file://{whl}", "archive_info": {{}}}}', True),
        ('{{"url": "file://{clone}", "dir_info": {{"editable": true}}}}', True),
        (None, None),
        ('{{"url": "file://{gone}", "archive_info": {{}}}}', False),
    ],
)
def test_the_wheel_is_the_one_this_airloop_came_from(
    origin: str | None, found: bool | None, tmp_path: Path, whl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site" / f"airloop-{shipped.version()}.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Name: airloop\nVersion: {shipped.version()}\n")
    if origin:
        said = origin.format(whl=whl, clone=tmp_path, gone=tmp_path / "gone" / "airloop.whl")
        (installed / "direct_url.json").write_text(said)
    monkeypatch.syspath_prepend(tmp_path / "site")
    if found is False:
        with pytest.raises(ConfigError, match="name one by --wheel"):
            wheel.find_wheel(None)
    else:
        assert wheel.find_wheel(None) == (whl if found else None)


def test_the_projects_services_and_image_agree(airloop: Airloop, tmp_path: Path) -> None:
    airloop("My Shop", "--pipeline", "mine")
    project = tmp_path / "My Shop"
    compose = compose_file.parse((project / "docker-compose.yml").read_text())
    image = (project / "Dockerfile").read_text()
    assert compose["name"] == "my-shop"
    services = [service for service in compose["services"].values() if "build" in service]
    assert {service["image"] for service in services} == {"my-shop:1"}
    path = re.search(r"PYTHONPATH=(\S+)", image)
    assert path is not None
    assert {service["environment"]["PYTHONPATH"] for service in services} == {path[1]}
    copied = [part for line in re.findall(r"^COPY (?!--)(.*)", image, re.MULTILINE) for part in line.split()[:-1]]
    sent = [line[1:] for line in (project / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(sent)
    assert [name for name in copied if not (project / name).exists()] == []
    assert re.search(r"^USER 10001:10001$", image, re.MULTILINE)
    assert "--require-hashes" in image


def test_the_projects_workflow_pins_its_actions_and_only_reads(airloop: Airloop, tmp_path: Path) -> None:
    airloop("shop", "--pipeline", "mine")
    text = (tmp_path / "shop" / ".github" / "workflows" / "ci.yml").read_text()
    for action in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step] == ["make check", "make test"]


def test_an_upgrade_adds_the_dag_files_that_a_project_lacks_and_no_other(
    airloop: Airloop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    airloop("shop", "--pipeline", "mine")
    project = tmp_path / "shop"
    (project / "dags" / "airloop_scoring_dag.py").unlink()
    (project / "dags" / "airloop_data_dag.py").write_text("theirs\n")
    before = files(project)
    call = in_checkout(load_settings(project_dir=project, home=tmp_path / "home"), monkeypatch, capsys)
    assert "dags/airloop_scoring_dag.py: added" in call("upgrade").out
    after = files(project)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"dags/airloop_scoring_dag.py"}
    assert "added" not in call("upgrade").out
