"""What looks odd and is right: it passes without an alarm, and the champion's figures stay the same."""

import polars as pl

from .fault import planted
from .landed import Landed


@planted(
    "none",
    how="the files as they are",
    before="passed; live ROC-AUC .712, Brier .183, prediction PSI .012; triage nothing",
)
def nothing(files: Landed) -> None:
    """The files as they are."""


@planted("columns reordered", how="every feed's columns from last to first")
def columns_reordered(files: Landed) -> None:
    for feed in ("schedule", "departures", "weather", "arrivals"):
        files.rewrite(feed, lambda rows: rows.select(rows.columns[::-1]))


@planted("a byte order mark", how="schedule begins with one")
def byte_order_mark(files: Landed) -> None:
    files.rewrite_bytes("schedule", lambda content: b"\xef\xbb\xbf" + content)


@planted("line ends of Windows", how="departures with CR LF")
def line_ends_of_windows(files: Landed) -> None:
    files.rewrite_bytes("departures", lambda content: content.replace(b"\n", b"\r\n"))


@planted("mixed line ends", how="departures with CR LF on every other line")
def mixed_line_ends(files: Landed) -> None:
    def mixed(content: bytes) -> bytes:
        lines = content.splitlines()
        return b"".join(line + (b"\r\n" if number % 2 else b"\n") for number, line in enumerate(lines))

    files.rewrite_bytes("departures", mixed)


@planted("every value quoted", how="departures")
def every_value_quoted(files: Landed) -> None:
    for path in files.files("departures"):
        path.write_text(pl.read_csv(path, infer_schema=False).write_csv(quote_style="always"))


@planted("rows in another order", how="weather, last row first")
def rows_in_another_order(files: Landed) -> None:
    files.rewrite("weather", lambda rows: rows.reverse())


@planted("arrivals landed twice", how="each file again under a correction's name", outcomes_only=True)
def arrivals_landed_twice(files: Landed) -> None:
    for path in files.files("arrivals"):
        path.with_name(f"{path.stem}.1.csv").write_bytes(path.read_bytes())


@planted("rows twice in a file", how="weather, equal rows with equal keys")
def rows_twice_in_a_file(files: Landed) -> None:
    files.rewrite("weather", lambda rows: pl.concat([rows, rows]))


@planted("offsets instead of Z", how="departed_at with +00:00")
def offsets_instead_of_z(files: Landed) -> None:
    files.edit("departures", departed_at=pl.col("departed_at").str.replace("Z", "+00:00"))


@planted("minus zero", how="departure_delay_minutes -0 for 0")
def minus_zero(files: Landed) -> None:
    delay = pl.col("departure_delay_minutes")
    files.edit("departures", departure_delay_minutes=pl.when(delay == "0").then(pl.lit("-0")).otherwise(delay))


@planted("whole numbers with a point", how="departure_delay_minutes 12.0 for 12")
def whole_numbers_with_a_point(files: Landed) -> None:
    files.edit("departures", departure_delay_minutes=pl.col("departure_delay_minutes") + ".0")
