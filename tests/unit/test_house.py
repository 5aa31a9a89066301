"""The house stands: no circles, few rooms and arrows, typed stages that look once; planted violations are refused."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from tests.support.stage_signatures import looked_up_twice, problems
from tests.support.waiting import bound

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.models.evaluate import Standing
from airloop.records import Evaluated, Snapshot, TrainedModel, Window
from airloop.run.stages import STAGES
from airloop.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
Arrows = set[tuple[str, str]]


@pytest.fixture(scope="module")
def files() -> Arrows:
    """Importing module -> imported module, below include/airloop; imports for types alone and lazy ones included."""
    graph = grimp.build_graph("airloop", cache_dir=None)
    return {(name, other) for name in graph.modules for other in graph.find_modules_directly_imported_by(name)}


def rooms(arrows: Arrows) -> Arrows:
    """The same between the packages, and loose modules, right below include/airloop."""
    pairs = ((one.split(".")[1], other.split(".")[1]) for one, other in arrows if "." in one and "." in other)
    return {(one, other) for one, other in pairs if one != other}


def circle(arrows: Iterable[tuple[str, str]]) -> list[str]:
    """One circle; empty when there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for one, other in arrows:
        sorter.add(one, other)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_files_and_no_packages_import_each_other_in_a_circle(files: Arrows) -> None:
    assert circle(files) == []
    assert circle(rooms(files)) == []
    assert circle({*files, ("airloop.errors", "airloop.stores.state")}) != []
    # No file of the two packages needs the other's importer, and still each package would need the other.
    planted = {*files, ("airloop.stores.frames", "airloop.gate.holdout_looks")}
    assert set(circle(rooms(planted))) >= {"stores", "gate"}


MOST_ROOMS, MOST_ARROWS = 30, 160


def crowded(files: Arrows) -> bool:
    """Whether there are more rooms, or ways between them, than a newcomer can learn."""
    arrows = rooms(files)
    return len({room for arrow in arrows for room in arrow}) > MOST_ROOMS or len(arrows) > MOST_ARROWS


def test_rooms_and_arrows_stay_few(files: Arrows) -> None:
    assert not crowded(files)
    assert crowded({*files, *((f"airloop.room{number}.one", "airloop.errors") for number in range(MOST_ROOMS))})
    known = sorted({room for arrow in rooms(files) for room in arrow})
    assert crowded({*files, *((f"airloop.{one}.some", f"airloop.{other}.some") for one in known for other in known)})


LONGEST_MODULE, LONGEST_FUNCTION, MOST_PARAMETERS = 250, 40, 7
LONG_FOR_A_REASON = {"include/airloop/cli/pipelines.py: pipelines_new"}  # its options are its signature
MANY_FOR_A_REASON = LONG_FOR_A_REASON | {
    "include/airloop/cli/landing.py: land",
    "include/airloop_platform/project/command.py: init",
    *(  # Feast says what these take
        f"include/airloop/feast_stores/offline_store.py: {name}"
        for name in (
            "get_historical_features",
            "pull_all_from_table_or_query",
            "pull_latest_from_table_or_query",
        )
    ),
}


def own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and without the functions inside it, which count for themselves."""
    inside = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = {line for node in inside[1:] for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    if ast.get_docstring(function) is not None:
        lines |= set(range(function.body[0].lineno, (function.body[0].end_lineno or 0) + 1))
    return len(set(range(function.lineno, (function.end_lineno or 0) + 1)) - lines)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many a caller may give: self, cls, *more and **options left out."""
    arguments = function.args
    names = [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def modules(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of every module below a project's root."""
    for room in ("include", "dags", "plugins", "feature_repo"):
        for path in (root / room).rglob("*.py"):
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def functions(root: Path, is_wrong: Callable[[ast.FunctionDef | ast.AsyncFunctionDef], bool]) -> set[str]:
    return {
        f"{name}: {node.name}"
        for name, text in modules(root)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_wrong(node)
    }


def too_long(root: Path) -> set[str]:
    """Modules and functions below a project's root that are longer than they may be."""
    long_modules = {name for name, text in modules(root) if text.count("\n") > LONGEST_MODULE}
    return long_modules | functions(root, lambda node: own_lines(node) > LONGEST_FUNCTION)


def too_many_parameters(root: Path) -> set[str]:
    """Functions that ask more of a caller than one can keep in mind."""
    return functions(root, lambda node: parameters(node) > MOST_PARAMETERS)


def test_modules_and_functions_stay_short() -> None:
    assert too_long(ROOT) == LONG_FOR_A_REASON


def test_functions_take_few_parameters() -> None:
    assert too_many_parameters(ROOT) == MANY_FOR_A_REASON


@pytest.mark.parametrize(
    ("signature", "refused"),
    [
        ("a, b, c, d, e, f, g", False),
        ("a, b, c, d, *, e, f, g, h", True),
        ("self, a, b, c, d, e, f, g", False),
        ("a, b, c, d, e, f, g=1, h=2, /", True),
        ("a, b, c, d, e, f, g, *more, **options", False),
    ],
)
def test_a_function_of_too_many_parameters_is_refused(tmp_path: Path, signature: str, refused: bool) -> None:
    planted = tmp_path / "include" / "planted.py"
    planted.parent.mkdir()
    planted.write_text(f"def some({signature}): ...\n", encoding="utf-8")
    assert too_many_parameters(tmp_path) == ({"include/planted.py: some"} if refused else set())


def function(lines: int) -> str:
    """A function of so many own lines, with a docstring and a function inside that do not count."""
    return "\n".join(
        [
            "def some() -> None:",
            '    """What it does.',
            '    """',
            *["    x = 1"] * (lines - 1),
            "    def inside() -> None:",
            "        x = 1",
            "",
        ]
    )


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (function(40), set()),
        (function(41), {"include/airloop/planted.py: some"}),
        ("x = 1\n" * 250, set()),
        ("x = 1\n" * 251, {"include/airloop/planted.py"}),
    ],
)
def test_a_module_or_a_function_that_is_too_long_is_refused(tmp_path: Path, text: str, refused: set[str]) -> None:
    planted = tmp_path / "include/airloop/planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text(text, encoding="utf-8")
    assert too_long(tmp_path) == refused


PARTICIPLES = frozenset(
    ["asked", "found", "given", "held", "kept", "made", "meant", "said", "seen", "taken", "told", "wanted"]
)
"""They say how a value was come by, and not what it is: records, bounds, a key."""


def named_by_participles(root: Path) -> set[str]:
    """Locals and parameters of functions whose name is one; a field may be one: a state is."""
    return {
        f"{name}: {node.name}: {word}"
        for name, text in modules(root)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for word in PARTICIPLES & names_bound(node)
    }


def names_bound(function: ast.AST) -> set[str]:
    inside = list(ast.walk(function))
    stored = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in inside if isinstance(node, ast.arg)}


def test_values_are_named_for_what_they_are() -> None:
    assert named_by_participles(ROOT) == set()


ONE_PLACE = {
    r"\bfcntl\b": {"include/airloop/files/file_locks.py"},
    r"PRAGMA journal_mode": {"include/airloop/files/private_files.py"},
}
"""What is easily got wrong, and the only module that does it."""


def elsewhere(root: Path) -> set[str]:
    """Modules that do what another one is there for."""
    return {
        name
        for name, text in modules(root)
        for words, places in ONE_PLACE.items()
        if re.search(words, text) and name not in places
    }


def test_locks_on_files_and_sqlites_mode_have_one_place(tmp_path: Path) -> None:
    assert elsewhere(ROOT) == set()
    planted = tmp_path / "include" / "airloop" / "stores" / "planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text('connection.execute("PRAGMA journal_mode = WAL")\n', encoding="utf-8")
    assert elsewhere(tmp_path) == {"include/airloop/stores/planted.py"}


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("found = read(name)", True),
        ("return [said for said in name]", True),
        ("first, (kept, last) = name", True),
        ("read(key=lambda seen: seen.end)", True),
        ("if (given := name): ...", True),
        ("records = found(name)", False),
        ("name.found = name.seen", False),
    ],
)
def test_a_value_named_by_a_participle_is_refused(tmp_path: Path, line: str, refused: bool) -> None:
    planted = tmp_path / "dags" / "planted.py"
    planted.parent.mkdir()
    planted.write_text(f"def some(name):\n    {line}\n", encoding="utf-8")
    assert bool(named_by_participles(tmp_path)) is refused
    planted.write_text("def some(told): ...\n", encoding="utf-8")
    assert named_by_participles(tmp_path) == {"dags/planted.py: some: told"}


@pytest.mark.integration
@pytest.mark.parametrize(
    ("planted", "imports", "broken"),
    [
        ("airloop/stores/lake/tables.py", "airloop.gate.judge", "Every floor stands on the ones below"),
        ("airloop/errors.py", "airloop.settings", "Every floor stands on the ones below"),
        ("airloop/upstairs.py", "airloop.errors", "Every floor stands on the ones below"),
        ("airloop/models/train.py", "airloop.models.evaluate", "Stages do not know each other"),
        ("airloop/data/ingest.py", "airflow", "The library is free of Airflow"),
        ("airloop/settings.py", "airloop_airflow.pipelines", "The platform stands on Airflow's parts"),
    ],
)
def test_a_planted_import_upwards_is_refused(tmp_path: Path, planted: str, imports: str, broken: str) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "pipelines")
    shutil.copytree(ROOT / "include", tmp_path / "include", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "include" / planted).open("a") as module:
        module.write(f"\nimport {imports}\n")
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'include')!r}]; from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=bound(120)
    )
    assert done.returncode == 1
    assert any(line.startswith(broken) and line.endswith("BROKEN") for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_handed_typed_records_and_looks_its_reads_up_once(name: str) -> None:
    stage = STAGES[name]
    assert problems(stage, stage.function(), stage.look_up()) == []
    module = sys.modules[stage.path.split(":")[0]]
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    assert stage.look_up() is None or looked_up_twice(source, name) == set()


def _look_up(at: Deployment, window: Window, *, snapshot: Snapshot) -> Standing: ...


def _of_dictionaries(at: Deployment, window: Window, upstream: dict[str, object], settings: Settings) -> Evaluated: ...


def _of_two_trees(
    pipeline: Pipeline, window: Window, reads: Standing, *, snapshot: Snapshot, trained: TrainedModel
) -> Evaluated: ...


def _of_another_record(
    at: Deployment, window: Window, reads: Standing, *, snapshot: Snapshot, trained: Snapshot
) -> Evaluated: ...


def _of_an_untyped_option(
    at: Deployment,
    window: Window,
    reads: Standing,
    *,
    snapshot: Snapshot,
    trained: TrainedModel,
    more: dict[str, object],
) -> Evaluated: ...


def _of_other_reads(
    at: Deployment, window: Window, reads: dict[str, object], *, snapshot: Snapshot, trained: TrainedModel
) -> Evaluated: ...


def _as_it_should_be(
    at: Deployment, window: Window, reads: Standing, *, snapshot: Snapshot, trained: TrainedModel
) -> Evaluated: ...


@pytest.mark.parametrize(
    ("planted", "about"),
    [
        (_of_dictionaries, "upstream"),
        (_of_two_trees, "begins with ['pipeline'"),
        (_of_another_record, "trained: <class"),
        (_of_an_untyped_option, "option more: dict"),
        (_of_other_reads, "reads: dict"),
    ],
)
def test_a_stage_of_untyped_records_is_refused(planted: Callable[..., Evaluated], about: str) -> None:
    assert problems(STAGES["evaluate"], _as_it_should_be, _look_up) == []
    assert about in "\n".join(problems(STAGES["evaluate"], planted, _look_up))


@pytest.mark.parametrize(
    ("planted", "twice"),
    [
        ("return inputs(at, window)", {"inputs", "ledger.champion_at"}),
        ("return ledger.champion_at(at.settings)", {"ledger.champion_at"}),
        ("return [_in_force(at) for _ in reads]", {"ledger.champion_at"}),
        ("return reads, lake.table_uri(at), ledger.append(at)", set()),
    ],
)
def test_a_stage_that_looks_a_second_time_is_refused(planted: str, twice: set[str]) -> None:
    source = f"""
from airloop.stores import lake, ledger

def inputs(at, window):
    return lake.table_uri(at), ledger.champion_at(at.settings)

def score(at, window, reads):
    {planted}

def _in_force(at):
    return ledger.champion_at(at.settings)
"""
    assert looked_up_twice(source, "score") == twice
