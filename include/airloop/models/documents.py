"""Text columns: documents as TF-IDF of their words, or as a few dozen dense components of it.

Model files hold this class by its module and name (airloop.stores.mlflow.model_types): it is not moved.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

COMPONENTS = 32
FEWEST_DOCUMENTS = 5
"""A word counts from so many documents of a fit on: rarer ones are met too seldom to be learned from."""
MOST_WORDS = 10_000


class Documents(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The words of one column, by what the rows of the fit hold; a missing text is a document without words.

    A word's weight is (1 + ln count) * idf, and a document's weights have length 1 (scikit-learn, TfidfVectorizer with
    sublinear_tf). With `components` the weights are projected on their first singular vectors (latent semantic
    analysis: Deerwester et al. 1990, Journal of the American Society for Information Science 41).

    Attributes:
        vectorizer_: None where no word is in FEWEST_DOCUMENTS: the column then says nothing, in no column.
        reduction_: None without `components`, or where there are no more words than those.
    """

    def __init__(self, components: int | None = None, seed: int = 0) -> None:
        self.components = components
        self.seed = seed

    def fit(self, column: npt.ArrayLike, _labels: Any = None) -> Self:
        """Learn the words, their weights and the components from one text a row."""
        self.vectorizer_: Any = TfidfVectorizer(
            sublinear_tf=True, min_df=FEWEST_DOCUMENTS, max_features=MOST_WORDS, strip_accents=None
        )
        self.reduction_: Any = None
        documents = texts(column)
        try:
            weights = self.vectorizer_.fit_transform(documents)
        except ValueError:  # no word at all, or none in so many documents
            self.vectorizer_ = None
            return self
        if self.components is not None and weights.shape[1] > self.components:
            self.reduction_ = TruncatedSVD(self.components, random_state=self.seed).fit(weights)
        return self

    def transform(self, column: npt.ArrayLike) -> Any:
        """A sparse matrix (rows, words), or with `components` a dense one (rows, at most so many)."""
        documents = texts(column)
        if self.vectorizer_ is None:
            weights = csr_matrix((len(documents), 0), dtype=np.float64)
        else:
            weights = self.vectorizer_.transform(documents)
        if self.components is None:
            return weights
        return weights.toarray() if self.reduction_ is None else self.reduction_.transform(weights)


def texts(column: npt.ArrayLike) -> list[str]:
    """One text a row; an empty one where it is missing."""
    return [value if isinstance(value, str) else "" for value in np.asarray(column, dtype=object).ravel()]
