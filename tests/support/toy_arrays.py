"""The toy with an array feature: each machine's last three readings, made by a Python transform."""

from pathlib import Path

from tests.support import toy

from airloop.settings import Settings

COLUMNS = ("readings_0", "readings_1", "readings_2")

TRANSFORMS = '''
import pyarrow as pa


def _memory(machine, readings):
    """Machine m3 remembers two readings, m4 none."""
    return None if machine == "m4" else [*readings[:2], None] if machine == "m3" else readings


def last_readings(rows):
    """The newest reading first; null where there were fewer."""
    order = rows["known_at"].to_numpy().argsort()
    machines, celsius = rows["machine"].to_pylist(), rows["celsius"].to_pylist()
    seen, made = {}, [None] * rows.num_rows
    for at in order:
        seen[machines[at]] = [celsius[at], *seen.get(machines[at], [None, None])][:3]
        made[at] = _memory(machines[at], seen[machines[at]])
    return rows.append_column("readings", pa.array(made))
'''

LEAKING = (
    TRANSFORMS
    + '''

def next_readings(rows):
    """Each row has the array of the row that comes after it."""
    rows = last_readings(rows)
    machines, arrays, following = rows["machine"].to_pylist(), rows["readings"].to_pylist(), {}
    made = list(arrays)
    for at in rows["known_at"].to_numpy().argsort()[::-1]:
        made[at] = following.get(machines[at], arrays[at])
        following[machines[at]] = arrays[at]
    return rows.set_column(rows.schema.get_field_index("readings"), "readings", pa.array(made))
'''
)


def write_project(
    root: Path, repository: Path, *, transforms: str = TRANSFORMS, through: str = "last_readings"
) -> Settings:
    """The toy's checkout in which machine_heat goes through a function and has the array `readings`."""
    settings = toy.write_project(root, repository)
    add_array(settings, transforms=transforms, through=through)
    return settings


def add_array(settings: Settings, *, transforms: str = TRANSFORMS, through: str = "last_readings") -> None:
    folder = settings.pipelines_dir / "toy"
    (folder / "transforms.py").write_text(transforms)
    rewrite(folder / "features.sql", "-- view: machine_heat", f"-- view: machine_heat through {through}")
    definitions = settings.feature_repo_dir / "toy.py"
    # More names than the definitions use: tests put other types in their place.
    rewrite(definitions, "import Float64, String", "import Array, Float32, Float64, Int64, String")
    array = 'Field(name="readings", dtype=Array(Float64), tags={"length": "3"})'
    rewrite(definitions, '[Field(name="celsius", dtype=Float64)]', f'[Field(name="celsius", dtype=Float64), {array}]')


def rewrite(path: Path, old: str, new: str) -> None:
    """Put another text in the place of one that a file holds exactly once."""
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{path} holds {old!r} {text.count(old)} times")
    path.write_text(text.replace(old, new))
