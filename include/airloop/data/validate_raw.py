"""validate_raw: only rows that keep their rules reach clean/; a window with too many that do not fails as a whole."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from airloop.config import Feed, Pipeline
from airloop.data import empty_windows, quarantine, verdict
from airloop.data.expectations import Rule, load_expectations
from airloop.data.feed_history import looks
from airloop.data.feed_history.looks import Before
from airloop.data.judgement import Judgement, Unreadable, judge
from airloop.data.rule_results import RuleResult
from airloop.data.unreadable_rows import RULE, SOURCE, TEXT, explain, texts_of
from airloop.data.validation_page import Remarks
from airloop.deployment import Deployment
from airloop.records import Ingested, TableVersion, Validated, Window
from airloop.settings import Settings
from airloop.stores import lake


def inputs(at: Deployment, window: Window) -> Before:
    """Beyond its upstream, raw depends on what the windows before looked like, and how their alarms were answered."""
    return looks.before(at.pipeline, window, at.settings)


def validate_raw(at: Deployment, window: Window, reads: Before, *, ingested: Ingested) -> Validated:
    """Judge the window's rows of raw/<feed>; publish the good ones to clean/<feed>, put the bad ones into quarantine.

    A row that breaks a critical row rule, or that ingest could not read, goes to quarantine/<feed>: the same columns
    plus `_rule` (names of the rules, joined by "; "), `_window_start`, `_run`, `_text` and `_source` (see
    airloop.data.quarantine). The others, with every column raw has, take the place of what clean/<feed> held of
    the window (a static feed: of the whole table). All feeds are judged before the first row is written, so a window
    that fails changes nothing; a second run over the same rows writes no new version. The good rows are held against
    the windows before (airloop.data.feed_history): what looks converted, recoded, shifted or incomplete is an alarm. An
    outcome feed without rows has not landed yet and is left alone, and so is a feed that declares empty windows normal.
    The page and its JSON are written in any case.

    Returns:
        Checks of every feed that has rows, versions of the clean tables, URI of the page, alarms.

    Raises:
        ConfigError: expectations.yaml is wrong, or a feed has no rules.
        DataContractError: A feed's share of bad rows > validation.max_bad_share, a critical rule about the table
            breaks, a rule cannot be computed, or a feed that is not an outcome has no rows.
    """
    pipeline, settings = at.pipeline, at.settings
    rules = load_expectations(pipeline, settings).raw
    tables = {name: _raw_rows(pipeline, name, feed, window, settings) for name, feed in pipeline.feeds.items()}
    unread = {name: quarantine.unreadable_rows(pipeline, name, window, settings) for name in pipeline.feeds}
    parameters = verdict.parameters(window, {name: rows.num_rows for name, rows in tables.items()})
    waiting = [name for name, rows in tables.items() if not rows.num_rows and _may_be_empty(pipeline, name, ingested)]
    waiting = [name for name in waiting if unread[name] is None]
    judgements = [
        _judge_feed(
            pipeline, name, rows, rules=rules[name], ingested=ingested, unread=unread[name], parameters=parameters
        )
        for name, rows in tables.items()
        if name not in waiting
    ]
    refused = {
        judged.table: _set_apart(pipeline, window, judged, (tables[judged.table], unread[judged.table]), settings)
        for judged in judgements
    }
    good = {judged.table: _good(judged, tables[judged.table]) for judged in judgements}
    looked = looks.look(pipeline, window, good, reads, ingested=ingested)
    apart = [(name, pipeline.feeds[name], rows) for name, rows in refused.items() if rows.num_rows]
    remarks = Remarks(looked.alarms, waiting, ingested.set_aside, apart)
    page = verdict.report(at, window, "raw", judgements, remarks)
    published = tuple(
        _publish(pipeline, name, rows, refused[name], window=window, settings=settings) for name, rows in good.items()
    )
    looks.keep(pipeline, window, looked, settings)
    return Validated(window, "raw", tuple(judged.check for judged in judgements), published, page, looked.alarms)


def _may_be_empty(pipeline: Pipeline, name: str, ingested: Ingested) -> bool:
    """Whether a feed without rows is left alone: an outcome may still come, and nothing may have happened."""
    return pipeline.feeds[name].outcome or empty_windows.is_normal(pipeline, name, ingested.empty.get(name, ""))


def _judge_feed(
    pipeline: Pipeline,
    name: str,
    rows: pa.Table,
    *,
    rules: tuple[Rule, ...],
    ingested: Ingested,
    unread: pa.Table | None,
    parameters: Mapping[str, float],
) -> Judgement:
    unreadable = _unreadable(pipeline.feeds[name], unread, readable_rows=rows.num_rows)
    if rows.num_rows == 0:
        why = ingested.empty.get(name, empty_windows.NO_ROWS_IN_FILES)
        hint = f"{why}): {empty_windows.way_out(name, why)}"
        hint = f"{unreadable.rows} cannot be read)" if unreadable.rows else hint
        problem = f"{name}: no rows in this window ({hint}"
        return Judgement(name, unreadable.rows, unreadable.results, {}, (problem,), unreadable.rows)
    return judge(
        name,
        rows,
        rules,
        key=pipeline.feeds[name].key,
        parameters=parameters,
        max_bad_share=pipeline.validation.max_bad_share,
        unreadable=unreadable,
    )


def _unreadable(feed: Feed, unread: pa.Table | None, *, readable_rows: int) -> Unreadable:
    """One critical result per reason why rows cannot be read."""
    if unread is None:
        return Unreadable()
    rows = unread.to_pylist()
    all_rows = len(rows) + readable_rows
    by_rule: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        for rule in row[RULE].split("; "):
            by_rule.setdefault(rule, []).append(row)
    results = [
        RuleResult(
            rule,
            about="row",
            severity="critical",
            passed=False,
            expected=expected_type(feed, rule),
            broken_rows=len(broken),
            observed=f"{len(broken):,} of {all_rows:,} rows",
            examples=tuple(
                f"{explain(feed, rule, texts_of(row))} ({row[SOURCE].rsplit('/', 1)[-1]})" for row in broken[:3]
            ),
        )
        for rule, broken in by_rule.items()
    ]
    return Unreadable(len(rows), tuple(results))


def expected_type(feed: Feed, rule: str) -> str:
    """The type of the column that ends a rule's name; of the longest, as names may hold blanks."""
    named = [name for name in feed.columns if rule.endswith(f" {name}")]
    return feed.columns[max(named, key=len)] if named else "one row a key"


def _raw_rows(pipeline: Pipeline, name: str, feed: Feed, window: Window, settings: Settings) -> pa.Table:
    uri = lake.table_uri(settings, pipeline.name, "raw", name)
    if lake.open_table(uri, settings) is None:
        return pa.table({column: [] for column in feed.columns})
    return lake.read(uri, settings, where=None if feed.event_time is None else lake.between(feed.event_time, window))


def _set_apart(
    pipeline: Pipeline, window: Window, judged: Judgement, rows: tuple[pa.Table, pa.Table | None], settings: Settings
) -> pa.Table:
    """The bad rows as quarantine keeps them; `rows` are those of raw, and those that could not be read."""
    return quarantine.marked(pipeline, judged.table, _refused(judged, *rows), window=window, settings=settings)


def _refused(judged: Judgement, rows: pa.Table, unread: pa.Table | None) -> pa.Table:
    """The bad rows of both kinds: the columns of raw, RULE, TEXT, SOURCE."""
    positions = sorted(judged.bad)
    rules = ["; ".join(judged.bad[position]) for position in positions]
    broken = rows.take(pa.array(positions, pa.int64())).append_column(RULE, pa.array(rules, pa.string()))
    for name in (TEXT, SOURCE):
        broken = broken.append_column(name, pa.nulls(len(positions), pa.string()))
    return broken if unread is None else pa.concat_tables([broken, unread], promote_options="default")


def _good(judged: Judgement, rows: pa.Table) -> pa.Table:
    good = [position not in judged.bad for position in range(rows.num_rows)]
    return rows.filter(pa.array(good)) if judged.bad else rows


def _publish(
    pipeline: Pipeline, name: str, rows: pa.Table, refused: pa.Table, *, window: Window, settings: Settings
) -> TableVersion:
    # Quarantine first: killed in between, a bad row is in two places until the rerun, never in none.
    quarantine.store(pipeline, name, refused, window=window, settings=settings)
    feed, uri = pipeline.feeds[name], lake.table_uri(settings, pipeline.name, "clean", name)
    if feed.event_time is None:
        return lake.replace_table(uri, rows, settings, sort_by=feed.key)
    return lake.replace_window(uri, rows, settings, time_column=feed.event_time, window=window, sort_by=feed.key)
