"""transforms.py: a function adds columns to rows, and every way in which it does something else is refused."""

import pyarrow as pa
import pytest
from tests.support import toy, toy_arrays

from airloop.errors import ConfigError
from airloop.features import transforms
from airloop.features.sections import Section
from airloop.run import input_key
from airloop.settings import Settings
from airloop.stores import lake

KEPT = ("known_at", "created_at", "machine")
GOOD = """
import pyarrow as pa
import pyarrow.compute as pc

FACTOR = 2.0


def _scaled(column):
    return pc.multiply(column, FACTOR)


def double(rows):
    return rows.append_column("doubled", _scaled(rows["celsius"]))
"""


@pytest.fixture
def settings(toy_settings: Settings) -> Settings:
    write(toy_settings, GOOD)
    return toy_settings


def path(settings):
    return settings.pipelines_dir / "toy" / "transforms.py"


def write(settings, text):
    path(settings).write_text(text)


def rows(count=3):
    stamps = pa.array([toy.START] * count, lake.INSTANT)
    names = pa.array([f"m{number}" for number in range(count)], pa.string())
    celsius = pa.array(range(count), pa.float64())
    return pa.table({"machine": names, "celsius": celsius, "known_at": stamps, "created_at": stamps})


def apply(settings, body=None, *, function="double", given=None):
    if body is not None:
        write(settings, f"import pyarrow as pa\n\n\ndef {function}(rows):\n    {body}\n")
    section = Section("view", "heat", "SELECT 1", function)
    given = rows() if given is None else given
    return transforms.apply(toy.toy_pipeline(settings), section, given, settings, unchanged=KEPT)


def through(settings, function):
    toy_arrays.rewrite(
        settings.pipelines_dir / "toy" / "features.sql", "view: machine_heat", f"view: machine_heat through {function}"
    )


def test_a_function_adds_columns_with_the_help_of_its_file(settings):
    assert apply(settings)["doubled"].to_pylist() == [0.0, 2.0, 4.0]


def test_a_column_that_is_not_kept_may_be_replaced_or_dropped(settings):
    assert apply(settings, "return rows.drop(['celsius'])").schema.names == ["machine", "known_at", "created_at"]


def test_an_edited_file_is_read_again(settings):
    before = apply(settings)
    write(settings, GOOD.replace("2.0", "3.0"))
    assert apply(settings)["doubled"].to_pylist() == [0.0, 3.0, 6.0] != before["doubled"].to_pylist()


def test_kept_columns_keep_their_types(settings):
    other = "rows['machine'].cast(pa.large_string()), rows['celsius'], rows['known_at'].cast(pa.timestamp('ns', 'UTC'))"
    made = apply(settings, f"return pa.table([{other}, rows['created_at']], rows.schema.names)")
    assert made.equals(rows())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return rows.to_pandas()", "double of section heat returned a DataFrame; it has to return a pyarrow.Table"),
        ("rows.num_rows", "returned a NoneType; it has to return a pyarrow.Table"),
        ("return rows.slice(1)", "returned 2 rows for 3; it has to return one for each"),
        ("return pa.concat_tables([rows, rows])", "returned 6 rows for 3"),
        ("return rows.drop(['known_at'])", "lost the column 'known_at'"),
        ("return rows.drop(['created_at'])", "lost the column 'created_at'"),
        ("return rows.drop(['machine'])", "lost the column 'machine'"),
        ("return rows.sort_by([('machine', 'descending')])", "changed the column 'machine', or the order of the rows"),
        ("return rows.set_column(2, 'known_at', pa.nulls(3, rows['known_at'].type))", "changed the column 'known_at'"),
        ("return rows.set_column(2, 'known_at', pa.array(['x', 'y', 'z']))", "changed the column 'known_at'"),
        ("return rows.set_column(3, 'created_at', pa.array([[1], [2], [3]]))", "changed the column 'created_at'"),
        ("return 1 / 0", "double of section heat failed in line 5: ZeroDivisionError: division by zero"),
        ("raise KeyError('x' * 1000)", "failed in line 5: KeyError: 'x{280,290}$"),
    ],
)
def test_a_function_that_does_not_keep_its_promise_is_refused_with_file_section_and_function(settings, body, says):
    with pytest.raises(ConfigError, match=says) as refused:
        apply(settings, body)
    assert str(refused.value).startswith(f"{path(settings)}: double of section heat ")


def test_rows_in_another_order_are_refused_even_when_their_times_are_equal(settings):
    with pytest.raises(ConfigError, match="changed the column 'machine', or the order of the rows"):
        apply(settings, "return rows.take([1, 0, 2])")


def test_a_failure_inside_a_library_names_the_line_of_the_file(settings):
    with pytest.raises(ConfigError, match=r"failed in line 5: ArrowInvalid: "):
        apply(settings, "return rows.append_column('x', rows['machine'].cast(pa.int64()))")


@pytest.mark.parametrize("function", ["doubel", "FACTOR", "pc", "nothing"])
def test_what_is_no_function_of_the_file_is_refused_with_the_nearest(settings, function):
    near = r"; did you mean 'double'\?" if function == "doubel" else ""
    says = rf"section heat: transforms.py has no function '{function}'{near} \(its functions: _scaled, double\)"
    with pytest.raises(ConfigError, match=says):
        apply(settings, function=function)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "missing; a section of features.sql goes through one of its functions"),
        ("def double(rows:\n", r"is not Python: SyntaxError: .*line 1"),
        ("import nosuchmodule\n\n\ndef double(rows):\n    return rows\n", "cannot be loaded: ModuleNotFoundError"),
        ("def double(rows):\n    return rows\n\n\n1 / 0\n", "cannot be loaded: ZeroDivisionError"),
    ],
    ids=["missing", "syntax", "import", "error"],
)
def test_a_file_that_cannot_be_read_is_refused_by_the_check_and_when_it_is_used(settings, text, says):
    through(settings, "double")
    if text is None:
        path(settings).unlink()
    else:
        write(settings, text)
    for use in (lambda: apply(settings), lambda: transforms.check(toy.toy_pipeline(settings), settings)):
        with pytest.raises(ConfigError, match=says) as refused:
            use()
        assert str(refused.value).startswith(f"{path(settings)}:")


def test_the_check_names_the_functions_that_are_asked_for(settings):
    pipeline = toy.toy_pipeline(settings)
    assert transforms.check(pipeline, settings) == ()
    through(settings, "double")
    assert transforms.check(pipeline, settings) == ("double",)


def test_the_source_is_the_code_without_comments_and_layout(settings):
    pipeline = toy.toy_pipeline(settings)
    before = transforms.source(pipeline, settings)
    write(settings, "# why\n" + GOOD.replace("FACTOR = 2.0", "FACTOR  =  2.0  # twice"))
    assert transforms.source(pipeline, settings) == before
    write(settings, GOOD.replace("FACTOR = 2.0", "FACTOR = 2.5"))
    assert transforms.source(pipeline, settings) != before


def test_the_file_is_part_of_the_declaration_comments_and_all(settings):
    pipeline = toy.toy_pipeline(settings)
    before = input_key.declaration_digest(pipeline, settings)
    write(settings, "# why\n" + GOOD)
    assert input_key.declaration_digest(pipeline, settings) != before
    write(settings, GOOD)
    assert input_key.declaration_digest(pipeline, settings) == before
