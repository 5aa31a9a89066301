"""Clock times when clocks change, and times that are counted or carry offsets: refused by row, or read as said."""

from pathlib import Path

import polars as pl
import pytest

from airloop.errors import ConfigError, DataContractError
from airloop.sources.land_dialect import Dialect, read_as_meant
from airloop.sources.land_tables import Table, read_table

REPEATED, SKIPPED = "2013-11-03 01:30:00", "2013-03-10 02:30:00"
PLAIN = "2013-07-01 10:00:00"


def read(folder: Path, *times: str, **said: object) -> Table:
    path = folder / "t.csv"
    path.write_text("\n".join(["t,n", *(f"{time},{row}" for row, time in enumerate(times))]) + "\n")
    return read_table(path, Dialect(timezone="America/New_York", **said))  # type: ignore[arg-type]


@pytest.mark.parametrize("time", [REPEATED, SKIPPED])
def test_by_default_the_table_is_refused_and_its_rows_are_listed(tmp_path: Path, time: str) -> None:
    with pytest.raises(DataContractError, match=f"2 times are skipped or repeated.*'{time}' in row 2.* in row 3") as no:
        read(tmp_path, PLAIN, time, time)
    assert "--clock-change skip" in str(no.value)


def test_skip_leaves_the_rows_out_and_says_so(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN, REPEATED, SKIPPED, clock_change="skip")
    assert table.texts.rows() == [("2013-07-01T14:00:00Z", "0")]
    assert table.skipped[0].startswith("2 rows were left out: t is skipped or repeated")
    assert "(rows 2, 3)" in table.skipped[0]
    assert read(tmp_path, PLAIN, clock_change="skip").skipped == ()


@pytest.mark.parametrize(
    ("choice", "repeated", "skipped"),
    [
        ("first", "2013-11-03T05:30:00Z", "2013-03-10T07:30:00Z"),
        ("last", "2013-11-03T06:30:00Z", "2013-03-10T06:30:00Z"),
    ],
)
def test_first_and_last_are_the_offsets_before_and_after_the_change(
    tmp_path: Path, choice: str, repeated: str, skipped: str
) -> None:
    table = read(tmp_path, PLAIN, REPEATED, SKIPPED, clock_change=choice)
    assert table.texts["t"].to_list() == ["2013-07-01T14:00:00Z", repeated, skipped]


@pytest.mark.parametrize(
    ("zone", "repeated", "skipped"),
    [
        ("Europe/Berlin", "2013-10-27 02:30:00", "2013-03-31 02:30:00"),
        ("Europe/Lisbon", "2013-10-27 01:30:00", "2013-03-31 01:30:00"),
        # Half an hour: 2:00 to 2:30 in October, 1:30 to 2:00 in April.
        ("Australia/Lord_Howe", "2013-04-07 01:45:00", "2013-10-06 02:15:00"),
        # Around midnight, and a whole day.
        ("America/Sao_Paulo", "2013-02-16 23:30:00", "2013-10-20 00:30:00"),
        ("America/Havana", "2013-11-03 00:30:00", "2013-03-10 00:30:00"),
    ],
)
def test_every_zones_own_change_is_found_and_the_minutes_beside_it_are_not(
    tmp_path: Path, zone: str, repeated: str, skipped: str
) -> None:
    path = tmp_path / "t.csv"
    for time in (repeated, skipped):
        path.write_text(f"t,n\n{PLAIN},1\n{time},2\n")
        with pytest.raises(
            DataContractError, match=f"1 times are skipped or repeated when the clocks of {zone} change"
        ):
            read_table(path, Dialect(timezone=zone))
    beside = [f"{time[:11]}04:00:00" for time in (repeated, skipped)]
    path.write_text("t,n\n" + "".join(f"{time},1\n" for time in beside))
    assert read_table(path, Dialect(timezone=zone)).texts.height == 2


def test_another_word_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="--clock-change 'frist'; did you mean 'first'"):
        Dialect(clock_change="frist")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "text", "utc"),
    [
        ("%Y-%m-%d %H:%M:%S%#z", "2025-03-01 10:00:00+02", "2025-03-01T08:00:00Z"),
        ("%Y-%m-%d %H:%M:%S%z", "2025-03-01 10:00:00+0200", "2025-03-01T08:00:00Z"),
        ("%d.%m.%Y %H:%M %z", "01.03.2025 10:00 +02:00", "2025-03-01T08:00:00Z"),
        ("%d.%m.%Y %H:%M %z", "01.03.2025 10:00 -05", "2025-03-01T15:00:00Z"),
        ("%d.%m.%Y %H:%M%z", "01.03.2025 10:00Z", "2025-03-01T10:00:00Z"),
        ("t=epoch_seconds", "1740822000", "2025-03-01T09:40:00Z"),
        ("t=epoch_milliseconds", "1740822000500", "2025-03-01T09:40:00.500Z"),
        ("t=excel", "45717.5", "2025-03-01T12:00:00"),
        ("t=%d.%m.%Y", "01.03.2025", "2025-03-01T00:00:00"),
    ],
)
def test_a_time_is_read_as_its_format_says(form: str, text: str, utc: str) -> None:
    rows = read_as_meant(Path("t.csv"), pl.DataFrame({"t": [text, None]}), Dialect(time_format=form))
    assert rows["t"].to_list() == [utc, None]


@pytest.mark.parametrize(
    ("form", "kind", "says"),
    [
        ("epoch_seconds", ConfigError, "say which column, like COLUMN=epoch_seconds"),
        ("tt=epoch_seconds", ConfigError, "no column 'tt'; did you mean 't'"),
        ("%d.%m.%Y %H:%M %Z", ConfigError, "abbreviation may be several zones"),
        ("%z %d.%m.%Y", ConfigError, "has to stand at the end"),
        ("t=epoch_seconds", DataContractError, "1 values are not, first 'soon'"),
    ],
)
def test_a_format_that_could_be_meant_in_two_ways_is_refused(form: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        read_as_meant(Path("t.csv"), pl.DataFrame({"t": ["1740822000", "soon"]}), Dialect(time_format=form))


def test_a_counted_form_leaves_other_numbers_alone() -> None:
    rows = pl.DataFrame({"t": ["1740822000"], "n": ["1740822000"]})
    assert read_as_meant(Path("t.csv"), rows, Dialect(time_format="t=epoch_seconds"))["n"].to_list() == ["1740822000"]
