"""One landed file as typed rows: which of them can be read, and what is wrong with each of the others."""

import hashlib
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pyarrow.csv

from airloop.config import Feed
from airloop.data import file_header, key_text
from airloop.data.plain_text import refuse_no_text
from airloop.data.unreadable_rows import AND, HEADER, RULE, SOURCE, TEXT, explain
from airloop.data.value_rules import typed
from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.records import LandedFile, Window
from airloop.settings import Settings
from airloop.stores.landed_files import file_span, read_bytes

_LARGEST_BLOCK = 2**31 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_file(file: LandedFile, feed: Feed, settings: Settings, *, max_bad_share: float) -> pl.DataFrame:
    """The rows of a landed file, as `parse` gives them.

    Raises:
        DataContractError: See `parse`.
        UpstreamUnavailable: Not the bytes whose checksum was recorded.
    """
    content = read_bytes(file.uri, settings)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UpstreamUnavailable(f"{file.uri} changed while it was read; run again")
    return parse_landed(file, content, feed, max_bad_share=max_bad_share)


def parse_landed(file: LandedFile, content: bytes, feed: Feed, *, max_bad_share: float) -> pl.DataFrame:
    """The rows of a landed file whose bytes were read before, as `parse` gives them.

    Raises:
        DataContractError: See `parse`.
    """
    span = file_span(feed, file.uri.rsplit("/", 1)[-1])
    return parse(file.uri, content, feed, span=span, max_bad_share=max_bad_share)


def parse(uri: str, content: bytes, feed: Feed, *, span: Window | None, max_bad_share: float) -> pl.DataFrame:
    """Bytes as the feed's columns and types, in file order; timestamps become UTC microseconds, an empty field null.

    RULE, TEXT and SOURCE say of a row that cannot be read why, what its fields were and where it stands; they are null
    in the others. The rules: `type of <column>` (the value is not of the declared type; it is null here), `missing
    <column>` (no event time, no known_at), `day of <column>` (an event outside `span`, which no window would read),
    `twice <key>` (another row of the file has this key and other values: nothing says which one is meant), and those of
    airloop.data.key_text about the texts of keys. A row whose event time is not sound stands at the start of `span`.

    Args:
        span: The local day in the file's name; None when nothing is known of it.
        max_bad_share: A larger share of unreadable rows, and more than one of them, is the fault of the whole file.

    Raises:
        DataContractError: Not CSV in UTF-8, cut off, another set of columns, a row with more or fewer fields, or too
            many rows that cannot be read; the message names file, line, column and value.
    """
    text = _texts(uri, content, feed)
    rows = text.select(typed(name, kind) for name, kind in feed.columns.items())
    rules = _rules(text, rows, feed, span)
    unreadable = rules.is_not_null().arg_true().to_list()
    lines = _line_numbers(content, rows.height) if unreadable else []
    if len(unreadable) > max(1, max_bad_share * rows.height):
        first = unreadable[0]
        says = explain(feed, rules[first], text.row(first, named=True))
        raise DataContractError(
            f"{uri}: {len(unreadable)} of {rows.height} rows cannot be read, more than {max_bad_share:.2%}; "
            f"line {lines[first]}, {says}"
        )
    return rows.with_columns(
        *_placed(feed, span),
        rules,
        _sparse(TEXT, rows.height, {row: json.dumps(text.row(row, named=True)) for row in unreadable}),
        _sparse(SOURCE, rows.height, {row: f"{uri} line {lines[row]}" for row in unreadable}),
    )


def event_times(uri: str, content: bytes, feed: Feed) -> pl.Series:
    """The event times of a file, wherever they lie, in file order; those that can be read.

    Raises:
        DataContractError: See `parse`.
    """
    texts = _texts(uri, content, feed)
    if feed.event_time is None:
        return pl.Series([], dtype=pl.Datetime("us", "UTC"))
    return texts.select(typed(feed.event_time, "timestamp")).to_series().drop_nulls()


def _texts(uri: str, content: bytes, feed: Feed) -> pl.DataFrame:
    refuse_no_text(uri, content)
    # Not polars' reader: it fills the missing fields of a short line with nulls. One block, so that a field may be of
    # any length, and one thread, so that an error names its row.
    options = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(feed.columns, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        table = pa.csv.read_csv(
            io.BytesIO(content),
            read_options=pa.csv.ReadOptions(use_threads=False, block_size=min(len(content) + 1, _LARGEST_BLOCK)),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
    except pa.ArrowInvalid as error:
        why = str(error).removeprefix("CSV parse error: ").strip().splitlines()[0][:200]
        above = file_header.lines_above(content, feed)
        raise DataContractError(f"{uri}: not readable as CSV: {why}{f'; {above}' if above else ''}") from error
    file_header.refuse_other_columns(uri, content, table.column_names, feed)
    return pl.DataFrame(table.select(list(feed.columns)))


def _rules(text: pl.DataFrame, rows: pl.DataFrame, feed: Feed, span: Window | None) -> pl.Series:
    """What is wrong with each row, joined by "; "; null where nothing is."""
    # Asked at once: a file may have a few rows only, and then each question costs more than its answer.
    both = rows.hstack([text[name].alias(_as_text(name)) for name in feed.columns])
    header, twice = f"{HEADER} {feed.key[0]}", f"twice {AND.join(feed.key)}"
    masks = both.select(**_values(feed, span), **{header: _header(feed), twice: _shared(feed)})
    broken = {name: masks[name] for name in masks.columns if name not in (header, twice)} | key_text.faults(text, feed)
    broken |= {header: masks[header], twice: _disputed(text, rows, feed, shared=masks[twice])}
    breaches = {rule: mask for rule, mask in broken.items() if mask.any()}
    if not breaches:
        return pl.Series(RULE, [None] * rows.height, pl.String)
    named = pl.concat_str(
        (pl.when(pl.lit(mask)).then(pl.lit(rule)) for rule, mask in breaches.items()), separator="; ", ignore_nulls=True
    )
    return rows.select(named.replace("", None).alias(RULE)).to_series()


def _as_text(name: str) -> str:
    return f"\x1f{name}"  # the name of no column


def _values(feed: Feed, span: Window | None) -> dict[str, pl.Expr]:
    """By rule, which values are not of their type, are missing, or lie on another day than the file's."""
    texts = {name: pl.col(_as_text(name)) for name in feed.columns}
    broken = {
        f"type of {name}": texts[name].is_not_null() & pl.col(name).is_null()
        for name, kind in feed.columns.items()
        if kind != "string"
    }
    for name in filter(None, dict.fromkeys((feed.event_time, feed.known_at))):
        broken[f"missing {name}"] = texts[name].is_null()
    if span is not None and feed.event_time is not None:
        broken[f"day of {feed.event_time}"] = ~_inside(feed.event_time, span).fill_null(value=True)
    return broken


def _header(feed: Feed) -> pl.Expr:
    """Files put one behind the other: where all columns are texts, nothing else tells their headers from rows."""
    return pl.all_horizontal(pl.col(_as_text(name)) == name for name in feed.columns).fill_null(value=False)


def _shared(feed: Feed) -> pl.Expr:
    return pl.struct(feed.key).is_duplicated() & pl.all_horizontal(pl.col(feed.key).is_not_null())


def _disputed(text: pl.DataFrame, rows: pl.DataFrame, feed: Feed, *, shared: pl.Series) -> pl.Series:
    """Rows that share their key with a row of other values; lines that say the same are one row."""
    if not shared.any():
        return shared
    # What is not of its type is null in `rows`: only its text tells it from another.
    untyped = text.select(
        pl.when(rows[name].is_null()).then(pl.col(name)).alias(_as_text(name)) for name in rows.columns
    )
    whole = pl.concat([rows, untyped], how="horizontal")
    return shared & whole.select(pl.struct(pl.all()).n_unique().over(list(feed.key)) > 1).to_series()


def _placed(feed: Feed, span: Window | None) -> list[pl.Expr]:
    if span is None or feed.event_time is None:
        return []
    sound = _inside(feed.event_time, span).fill_null(value=False)
    return [pl.when(sound).then(pl.col(feed.event_time)).otherwise(_instant(span.start)).alias(feed.event_time)]


def _inside(column: str, span: Window) -> pl.Expr:
    return pl.col(column).is_between(_instant(span.start), _instant(span.end), closed="left")


def _instant(at: datetime) -> pl.Expr:
    # By its microseconds: of an instant with a zone polars makes a literal by four queries.
    return pl.lit((at - _EPOCH) // timedelta(microseconds=1)).cast(pl.Datetime("us", "UTC"))


def _sparse(name: str, height: int, values: Mapping[int, str]) -> pl.Series:
    return pl.Series(name, [values.get(row) for row in range(height)], pl.String)


def _line_numbers(content: bytes, rows: int) -> list[int]:
    """The line each row starts in; a quoted field may hold line breaks, and empty lines are not rows."""
    starts, quoted = [], False
    for number, line in enumerate(content.splitlines(), start=1):
        if line and not quoted:
            starts.append(number)
        quoted ^= line.count(b'"') % 2 == 1
    return starts[1:] if len(starts) == rows + 1 else [row + 2 for row in range(rows)]
