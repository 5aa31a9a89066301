"""Alarms about the values of text columns: other ones than before, one that is gone, another shape."""

from collections.abc import Iterator

from airloop.data.feed_history import new_values, respelled, side_by_side, text_shapes, value_profiles, words
from airloop.data.feed_history.looked import AGAIN, LAND, Looked
from airloop.data.feed_history.sketch import Sketch, Texts
from airloop.records import Alarm

_A_WEEK = 7


def find(looked: Looked) -> Iterator[Alarm]:
    """The alarms of every text column of every feed."""
    for name, sketch in looked.feeds.items():
        for column, texts in sketch.texts.items():
            yield from _values(looked, name, column, texts)
            yield from _spellings(looked, name, column, texts)
            yield from _names(looked, name, column, texts)
            yield from _places(looked, name, column, sketch)
        yield from _beside(looked, name, sketch)
        yield from _shapes(looked, name, sketch)
        yield from _words(looked, name, sketch)


def _values(looked: Looked, name: str, column: str, texts: Texts) -> Iterator[Alarm]:
    subject = f"{name}.{column}"
    trusted = [earlier for earlier in looked.trusted(name, subject) if column in earlier.texts]
    past = [earlier.texts[column] for earlier in trusted]
    # What only working days have is not gone on a Sunday.
    seen_a_week = len({day for earlier in trusted for day in earlier.days}) > _A_WEEK
    shares = new_values.share_known(past, texts)
    declared = looked.pipeline.prediction.classes if looked.pipeline.feeds[name].outcome else ()
    if declared and set(texts.top) <= set(declared):
        # Which of its classes a season has is a rate; that one is new says nothing.
        return
    if shares and new_values.recoded(past, texts):
        value = next(iter(texts.top))
        says = (
            f"{subject}: {1 - shares[0]:.0%} of the rows have a value that no window had before, like "
            f"{value!r}; land them with the old names, or say that the new ones are right: "
            "`airloop alarms answer`"
        )
        yield Alarm("new_categories", subject, says, 1 - shares[0], 1 - shares[1])
    elif seen_a_week and (gone := new_values.gone(past, texts)):
        value, share = gone
        now = texts.top.get(value, 0) / texts.rows
        says = f"{subject}: {now:.1%} of the rows say {value!r}, in every window before {share:.0%} or more did; {LAND}"
        yield Alarm("missing_category", subject, says, now, share)
    elif looked.pipeline.feeds[name].outcome and (strange := new_values.new_outcomes(past, texts)):
        value, rows = next(iter(strange.items()))
        says = (
            f"{subject}: {rows:,} rows say {value!r}, which no window had before; what the SQL of section "
            "labels makes of it is a guess: declare the values in expectations.yaml "
            "(expect_column_values_to_be_in_set, critical), or land it as it was written before"
        )
        yield Alarm("undeclared_label", subject, says, sum(strange.values()) / texts.rows, 0.0)


def _spellings(looked: Looked, name: str, column: str, texts: Texts) -> Iterator[Alarm]:
    subject = f"{name}.{column}"
    past = [earlier.texts[column] for earlier in looked.trusted(name, subject) if column in earlier.texts]
    spelling = respelled.find(past, texts)
    if spelling:
        what = f"is another spelling of {spelling.like!r}" if spelling.like else "is a word for a missing value"
        says = (
            f"{subject}: {spelling.share:.1%} of the rows have values like {spelling.value!r}, which no window had "
            f"before and {what}: a model takes it for a category of its own; {AGAIN}"
        )
        yield Alarm("other_spelling", subject, says, spelling.share, 0.0)


def _names(looked: Looked, name: str, column: str, texts: Texts) -> Iterator[Alarm]:
    subject = f"{name}.{column}"
    past = [earlier.texts[column] for earlier in looked.trusted(name, subject) if column in earlier.texts]
    one = new_values.one_name(past, texts)
    if one:
        value, share, before = one
        says = (
            f"{subject}: {share:.0%} of the rows say {value!r}, no name was in more than {before:.1%} before: a "
            f"default in place of the name? {AGAIN}"
        )
        yield Alarm("one_value", subject, says, share, before)
    fewer = new_values.fewer_names(past, texts)
    if fewer and not one:
        says = (
            f"{subject} has {texts.different:,} different values, {fewer[0]:.2g} a row, before {fewer[1]:.2g} or more: "
            f"were names cut, or numbered again? {AGAIN}"
        )
        yield Alarm("frozen_values", subject, says, fewer[0], fewer[1])


def _places(looked: Looked, name: str, column: str, sketch: Sketch) -> Iterator[Alarm]:
    subject = f"{name}.{column}"
    past = [earlier.profiles for earlier in looked.trusted(name, subject)]
    pair = value_profiles.changed_places(past, sketch.profiles, column)
    if pair:
        says = (
            f"{subject}: {pair[0]!r} and {pair[1]!r} have changed places: the rows of each look like those that the "
            f"other had before; {AGAIN}"
        )
        yield Alarm("changed_places", subject, says)


def _beside(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    for column, pairs in sketch.beside.items():
        subject = f"{name}.{column}"
        past = [earlier.beside[column] for earlier in looked.trusted(name, subject) if column in earlier.beside]
        exchanged = side_by_side.exchanged(past, pairs)
        if exchanged:
            says = (
                f"{subject}: {exchanged.names} have changed places: at the instants that both have, "
                f"{exchanged.apart.numbers} columns lie the other way round, the lower ones higher; {AGAIN}"
            )
            yield Alarm("changed_places", subject, says, exchanged.apart.now, exchanged.apart.before)


def _shapes(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    for column, shapes in sketch.shapes.items():
        subject = f"{name}.{column}"
        past = [earlier.shapes[column] for earlier in looked.trusted(name, subject) if column in earlier.shapes]
        new = text_shapes.new_shape(past, shapes)
        if new:
            says = (
                f"{subject}: {new.share:.1%} of the rows look like {new.example!r}, as none did before (like "
                f"{new.before!r}): has a letter, a zero or a mark been lost or added on the way? {AGAIN}"
            )
            yield Alarm("text_shape", subject, says, new.share, new.usual)


def _words(looked: Looked, name: str, sketch: Sketch) -> Iterator[Alarm]:
    """One alarm of a feed for each kind: such a row has its word in all its columns."""
    kinds: set[str] = set()
    for column in sketch.words:
        subject = f"{name}.{column}"
        new = words.new([earlier.words for earlier in looked.trusted(name, subject)], sketch.words, column)
        if not new:
            continue
        word, rows, total = new
        kind = "total_rows" if total else "test_rows"
        what = "a line that sums up others" if total else "a trial of the system"
        says = (
            f"{subject}: {rows:,} rows say {word!r}, as none did before: is that {what}, and not an event? Have them "
            "left out where the file is written, or say that they are right: `airloop alarms answer`"
        )
        if kind not in kinds:
            yield Alarm(kind, subject, says, float(rows), 0.0)
        kinds.add(kind)
