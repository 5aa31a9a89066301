"""What of a text column can be compared by rows: how many different words a document has, and how many are new.

Two documents are hardly ever the same, so that documents compared as categories would all be new.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from airloop.records import Record
from airloop.watch import bins
from airloop.watch.bins import Numbers

Document = frozenset[str] | None


@dataclass(frozen=True)
class Words(Record):
    """What a reference's documents are known by.

    A document of the reference is asked about all others of it: a word that is in no other one is new there, too. So
    without a change both sides have the same share of new words (as Good 1953 has it of categories).

    Attributes:
        lengths: Bins of the number of different words of each document.
        shares: Bins of the share of words of each document that no other one of the reference has.
        new_share: The mean of these shares.
        known: Every word of the reference, sorted.
    """

    lengths: Numbers
    shares: Numbers
    new_share: float
    known: tuple[str, ...]

    def beside(self, now: pd.Series) -> tuple[pd.Series, pd.Series]:
        """Of each document of now its number of different words, and the share of them that is new.

        Missing where the text is, and the share where there is no word.
        """
        documents, known = _documents(now), frozenset(self.known)
        return _lengths(documents), _shares(documents, known)


def words(then: pd.Series) -> Words:
    """What the documents of a reference are known by."""
    documents = _documents(then)
    rows = Counter(word for document in documents if document for word in document)
    shares = _shares(documents, frozenset(word for word, count in rows.items() if count > 1))
    mean = float(shares.mean()) if shares.notna().any() else 0.0
    return Words(bins.numbers(_lengths(documents)), bins.numbers(shares), mean, tuple(sorted(rows)))


def _documents(texts: pd.Series) -> list[Document]:
    words_of = TfidfVectorizer().build_analyzer()
    return [frozenset(words_of(text)) if isinstance(text, str) else None for text in texts]


def _lengths(documents: Iterable[Document]) -> pd.Series:
    return _numbers(None if document is None else len(document) for document in documents)


def _shares(documents: Iterable[Document], known: Collection[str]) -> pd.Series:
    return _numbers(
        sum(word not in known for word in document) / len(document) if document else None for document in documents
    )


def _numbers(values: Iterable[Any]) -> pd.Series:
    return pd.Series([np.nan if value is None else value for value in values], dtype="float64")
