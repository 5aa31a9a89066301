"""Outcomes: wrong, of another unit, of other rows, or not there."""

import polars as pl

from .fault import planted
from .landed import Landed, number, one_in, whole

_DELAY = "arrival_delay_minutes"


@planted(
    "label in hours",
    how="arrivals.arrival_delay_minutes / 60",
    before="Brier .080, a triumph; triage not_enough_data",
    says=r"label|arrival_delay_minutes",
    outcomes_only=True,
)
def label_in_hours(files: Landed) -> None:
    files.edit("arrivals", arrival_delay_minutes=whole(number(_DELAY) / 60))


@planted(
    "label in seconds",
    how="arrival_delay_minutes x 60",
    says=r"label|arrival_delay_minutes",
    outcomes_only=True,
)
def label_in_seconds(files: Landed) -> None:
    files.edit("arrivals", arrival_delay_minutes=whole(number(_DELAY) * 60))


@planted(
    "label's sign flipped",
    how="-arrival_delay_minutes",
    before="ROC-AUC .365, the gate's floor .65; triage nothing",
    says=r"sign flipped|roc_auc",
    outcomes_only=True,
)
def label_sign_flipped(files: Landed) -> None:
    files.edit("arrivals", arrival_delay_minutes=whole((-number(_DELAY)).clip(lower_bound=-120)))


@planted(
    "delays shifted by one row",
    how="arrivals and departures, shift(1)",
    before=".641 / .699; triage nothing",
    says=r"relation_changed departures.departure_delay_minutes",
)
def delays_shifted_by_one_row(files: Landed) -> None:
    for feed, column in (("departures", "departure_delay_minutes"), ("arrivals", _DELAY)):
        files.edit(feed, **{column: pl.col(column).shift(1).fill_null(pl.col(column).last())})


@planted(
    "labels all the same",
    how="arrival_delay_minutes is -5 for all",
    says=r"label|arrival_delay_minutes",
    outcomes_only=True,
)
def labels_all_early(files: Landed) -> None:
    files.edit("arrivals", arrival_delay_minutes=pl.lit("-5"))


@planted("labels missing for one carrier", how="no arrivals of UA", says=r"label|arrivals", outcomes_only=True)
def labels_missing_for_one_carrier(files: Landed) -> None:
    files.rewrite("arrivals", lambda rows: rows.filter(~pl.col("flight_id").str.contains("-UA[0-9]")))


@planted(
    "labels missing for one airport", how="no arrivals of flights from LGA", says=r"label|arrivals", outcomes_only=True
)
def labels_missing_for_one_airport(files: Landed) -> None:
    files.rewrite("arrivals", lambda rows: rows.filter(~pl.col("flight_id").str.contains("-LGA-")))


@planted(
    "only late arrivals missing",
    how="arrivals of 60 minutes and more are left out",
    before="Brier better (.156), silent",
    says=r"label|arrivals",
    outcomes_only=True,
)
def late_arrivals_missing(files: Landed) -> None:
    files.rewrite("arrivals", lambda rows: rows.filter(number(_DELAY) < 60))


@planted(
    "half of each arrivals file cut at a line end",
    how="the first half of each file's lines",
    before="unlabelled .05 -> .51, silent",
    says=r"arrivals|label",
    outcomes_only=True,
)
def half_of_each_file(files: Landed) -> None:
    def first_half(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join(lines[: len(lines) // 2])

    files.rewrite_bytes("arrivals", first_half)


@planted(
    "one arrivals file missing",
    how="the file of the 10th is not there",
    before="silent in 25 of 25 days",
    says=r"files_missing arrivals .*2013-04-10",
    outcomes_only=True,
)
def one_arrivals_file_missing(files: Landed) -> None:
    files.remove("arrivals", [10])


@planted("all arrivals files missing", how="none landed for the month", says=r"arrivals|label", outcomes_only=True)
def all_arrivals_files_missing(files: Landed) -> None:
    files.remove("arrivals", range(1, 31))


@planted(
    "arrivals of other flights",
    how="flight_id names another airport code",
    says=r"text_shape arrivals.flight_id",
    outcomes_only=True,
)
def arrivals_of_other_flights(files: Landed) -> None:
    files.edit("arrivals", flight_id=pl.col("flight_id").str.replace("-(EWR|JFK|LGA)-", "-K$1-"))


@planted(
    "keys in lower case",
    how="arrivals.flight_id in lower case",
    says=r"text_shape arrivals.flight_id",
    outcomes_only=True,
)
def keys_in_lower_case(files: Landed) -> None:
    files.edit("arrivals", flight_id=pl.col("flight_id").str.to_lowercase())


@planted(
    "cancelled flights as on time",
    how="cancelled flights get an arrival with delay 0",
    says=r"unknown_keys arrivals",
    outcomes_only=True,
)
def cancelled_as_zero_delay(files: Landed) -> None:
    flights = pl.concat([pl.read_csv(path, infer_schema=False) for path in files.files("schedule")])
    landed = pl.concat([pl.read_csv(path, infer_schema=False) for path in files.files("arrivals")])
    absent = flights.join(landed, on="flight_id", how="anti")
    for path in files.files("arrivals"):
        rows = pl.read_csv(path, infer_schema=False)
        same_day = absent.filter(
            pl.col("scheduled_arrival")
            .str.to_datetime(time_zone="UTC")
            .dt.convert_time_zone("America/New_York")
            .dt.date()
            .cast(pl.String)
            == path.stem
        )
        more = same_day.select(
            "flight_id",
            arrived_at="scheduled_arrival",
            arrival_delay_minutes=pl.lit("0"),
            air_time_minutes=pl.lit(None, pl.String),
        )
        path.write_text(pl.concat([rows, more]).write_csv())


@planted(
    "labels of other rows",
    how="arrival_delay_minutes shuffled over the month",
    says=r"relation_changed arrivals.arrival_delay_minutes",
    outcomes_only=True,
)
def labels_random(files: Landed) -> None:
    files.edit("arrivals", arrival_delay_minutes=pl.col(_DELAY).shuffle(seed=7))


@planted(
    "no arrival is late",
    how="arrival_delay_minutes of 15 and more becomes less",
    says=r"label_rate arrivals.arrival_delay_minutes",
    outcomes_only=True,
)
def no_arrival_late(files: Landed) -> None:
    late = number(_DELAY) >= 15
    files.edit("arrivals", arrival_delay_minutes=pl.when(late).then(whole(number(_DELAY) % 15)).otherwise(_DELAY))


@planted(
    "a fifth of the labels of other rows",
    how="every fifth arrival_delay_minutes is that of the arrival before it",
    says=r"relation_changed arrivals.arrival_delay_minutes",
    outcomes_only=True,
)
def a_fifth_of_labels_of_other_rows(files: Landed) -> None:
    other = pl.int_range(pl.len()) % 5 == 0
    shifted = pl.col(_DELAY).shift(1).fill_null(pl.col(_DELAY).last())
    files.edit("arrivals", arrival_delay_minutes=pl.when(other).then(shifted).otherwise(_DELAY))


@planted(
    "30 % of labels null",
    how="arrival_delay_minutes empty, at random",
    says=r"arrival_delay_minutes",
    outcomes_only=True,
)
def labels_null(files: Landed) -> None:
    files.edit("arrivals", arrival_delay_minutes=pl.when(~one_in(0.3)).then(_DELAY))


@planted(
    "labels five minutes later",
    how="arrival_delay_minutes + 5",
    says=r"relation_changed arrivals.arrival_delay_minutes",
    outcomes_only=True,
)
def labels_five_minutes_later(files: Landed) -> None:
    files.edit("arrivals", arrival_delay_minutes=whole(number(_DELAY) + 5))


@planted(
    "a tenth of the late arrivals on time",
    how="every tenth delay of 15 minutes and more is 5",
    says=r"relation_changed arrivals.arrival_delay_minutes",
    outcomes_only=True,
)
def some_late_arrivals_on_time(files: Landed) -> None:
    late = (number(_DELAY) >= 15) & one_in(0.1)
    files.edit("arrivals", arrival_delay_minutes=pl.when(late).then(pl.lit("5")).otherwise(_DELAY))
