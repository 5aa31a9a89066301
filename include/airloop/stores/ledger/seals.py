"""What a verification leaves for the next look, in this process or another: digests of all that it looked at.

The rows of the chain, and the records of the stages that append to it window by window, are sealed CHUNK at a time by
the SHA-256 of what is stored; what decides is sealed as a whole, its rows of the chain once more. Under a seal that is
unbroken nothing has changed since it was verified.
"""

import hashlib
import json
import marshal
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from airloop.stores import tables
from airloop.stores.ledger.history import KINDS
from airloop.stores.ledger.stored import KIND_OF_STAGE

CHUNK = 100

_DECIDING_STAGES = ("decide", "refit", "promote", "roll_back")
_BY_WINDOW = tuple(stage for stage in KIND_OF_STAGE if stage not in _DECIDING_STAGES)
_MARSHALLED = 2
"""The newest of marshal's formats in which bytes depend on nothing but values and their types."""

_END = (1 << 31) - 1
_entries, _runs = tables.ledger_entries, tables.stage_runs


class Seal(NamedTuple):
    """Of the rows after those of the seal before it, up to the number `last`."""

    last: int
    digest: str


@dataclass(frozen=True)
class Sealed:
    """Rows of one kind.

    Attributes:
        query: Those of `pipeline` with after < number <= until; the number comes first.
        at_once: Under one seal, however many they are.
    """

    query: sa.Select[Any]
    at_once: bool = False

    @property
    def size(self) -> int:
        """Rows under a seal; under the newest one there may be fewer."""
        return _END if self.at_once else CHUNK

    def read(self, connection: sa.Connection, pipeline: str, *, after: int, until: int = _END) -> Sequence[Any]:
        """The rows, by number."""
        rows = connection.execute(self.query, {"of": pipeline, "after": after, "until": until}).all()
        # Sorted here: asked for an order, SQLite walks the whole chain in it instead of looking up a few kinds.
        return sorted(rows, key=itemgetter(0))

    def chunks(self, connection: sa.Connection, pipeline: str, *, after: int, until: int) -> Iterator[Sequence[Any]]:
        """The same rows, as many at a time as lie under a seal: ten thousand at once take half as long again."""
        result = connection.execute(self._in_order, {"of": pipeline, "after": after, "until": until})
        # The driver's own rows: to make SQLAlchemy's of them costs a tenth.
        while rows := result.cursor.fetchmany(self.size):
            yield rows

    @cached_property
    def _in_order(self) -> sa.Select[Any]:
        return self.query.order_by(self.query.selected_columns[0])

    def seals(self, rows: Sequence[Any], before: Sequence[Seal]) -> tuple[Seal, ...] | None:
        """Seals over all rows, those of `before` that are full among them; None where one of `before` is broken."""
        numbers = [row[0] for row in rows]
        places = [0, *(bisect_right(numbers, seal.last) for seal in before)]
        spans = list(pairwise(places))
        if any(_digest(rows[start:end]) != seal.digest for seal, (start, end) in zip(before, spans, strict=True)):
            return None
        full = [seal for seal, (start, end) in zip(before, spans, strict=True) if end - start >= self.size]
        rest = rows[places[len(full)] :]
        chunks = (rest[start : start + self.size] for start in range(0, len(rest), self.size))
        return (*full, *(Seal(chunk[-1][0], _digest(chunk)) for chunk in chunks))


def _digest(rows: Sequence[Any]) -> str:
    return hashlib.sha256(marshal.dumps([tuple(row) for row in rows], _MARSHALLED)).hexdigest()


def _last(seals: Sequence[Seal]) -> int:
    return seals[-1].last if seals else 0


def _of(number: sa.Column[int], *columns: sa.Column[Any], where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    within = number > sa.bindparam("after"), number <= sa.bindparam("until")
    return sa.select(number, *columns).where(number.table.c.pipeline == sa.bindparam("of"), *within, where)


_ROWS = (_entries.c.sequence, *(column for column in _entries.c if column.name != "sequence"))
_RECORDS = (_runs.c.id, _runs.c.stage, _runs.c.record)
# Pipeline and stage are those asked for: they are the same in each row.
_ROWS_OF_ONE = tuple(column for column in _ROWS if column.name != "pipeline")
_RECORDS_OF_ONE = (_runs.c.id, _runs.c.record)
_decides = _entries.c.kind.in_((*KINDS, "acknowledged"))


def _by(stages: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.and_(_runs.c.record != "", _runs.c.stage.in_(stages))


_SEALED = {
    "entries": Sealed(_of(*_ROWS_OF_ONE, where=sa.true())),
    **{f"records of {stage}": Sealed(_of(*_RECORDS_OF_ONE, where=_by([stage]))) for stage in _BY_WINDOW},
    "deciding entries": Sealed(_of(*_ROWS, where=_decides), at_once=True),
    "deciding records": Sealed(_of(*_RECORDS, where=_by(_DECIDING_STAGES)), at_once=True),
}


_OF_ENTRIES = ("entries", "deciding entries")


@dataclass(frozen=True)
class Seals:
    """The seals of one pipeline's ledger.

    Attributes:
        of: Seals of "entries", of the records of each stage that appends by the window, of "deciding entries" (which
            are among the first) and of "deciding records".
    """

    of: Mapping[str, tuple[Seal, ...]] = field(default_factory=lambda: dict.fromkeys(_SEALED, ()))

    def last(self, name: str) -> int:
        """The number up to which rows are sealed; 0 where none are."""
        return _last(self.of[name])

    @property
    def newest_record(self) -> int:
        """The largest number of a sealed record; 0 where none is."""
        return max(_last(seals) for name, seals in self.of.items() if name not in _OF_ENTRIES)

    def compared(
        self,
        connection: sa.Connection,
        pipeline: str,
        *,
        newest: int | None,
        turn: int = 0,
        last_rows: Mapping[str, Sequence[Any]] | None = None,
    ) -> "Compared | None":
        """Read what is stored under the seals, and seal what was appended since; None where a seal is broken.

        Args:
            newest: Compare the seals of at least so many of the newest entries and records; None: of all.
            turn: Compare one seal more, of older ones: each in its turn.
            last_rows: The rows that these seals were made of, where a process still has them: of the same rows the
                digests are the same.
        """
        seals, rows = {}, {}
        for name, sealed in _SEALED.items():
            before = self.of[name]
            older = max(0, len(before) - 1)
            first = 0 if newest is None else max(0, older - -(-newest // sealed.size))
            spans = [(first, older), *([(turn % first, turn % first + 1)] if first else [])]
            if not all(_are_unbroken(connection, pipeline, sealed, before, span) for span in spans):
                return None
            rows[name] = sealed.read(connection, pipeline, after=_last(before[:older]))
            same = last_rows is not None and rows[name] == last_rows[name]
            newest_seals = before[older:] if same else sealed.seals(rows[name], before[older:])
            if newest_seals is None:
                return None
            seals[name] = (*before[:older], *newest_seals)
        return Compared(Seals(seals), rows)

    def text(self) -> str:
        """As JSON."""
        return json.dumps(self.of)

    @classmethod
    def read(cls, text: str) -> Self:
        """The inverse of `text`.

        Raises:
            ValueError: Somebody wrote something else.
        """
        try:
            seals = json.loads(text)
            return cls({name: tuple(Seal(int(last), str(digest)) for last, digest in seals[name]) for name in _SEALED})
        except (KeyError, TypeError) as error:
            raise ValueError(f"no seals: {error}") from error


@dataclass(frozen=True)
class Compared:
    """What lies under seals that are unbroken.

    Attributes:
        seals: Up to the newest row.
        rows: By the names of Seals, those under the newest of the seals before and after it: of what decides all.
    """

    seals: Seals
    rows: Mapping[str, Sequence[Any]]


def _are_unbroken(
    connection: sa.Connection, pipeline: str, sealed: Sealed, seals: Sequence[Seal], span: tuple[int, int]
) -> bool:
    """Whether nothing has changed under seals[span[0]:span[1]], each of which is full."""
    compared = seals[slice(*span)]
    if not compared:
        return True
    chunks = sealed.chunks(connection, pipeline, after=_last(seals[: span[0]]), until=_last(compared))
    return [_digest(chunk) for chunk in chunks] == [seal.digest for seal in compared]
