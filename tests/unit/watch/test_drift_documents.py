"""Drift of a text column: by the length of documents and by their new words, not by the documents themselves."""

import numpy as np
import pandas as pd
import pytest
from tests.support import toy

from airloop.settings import Settings
from airloop.watch import drift_report, words
from airloop.watch.drift import Drift, Sides, measure, reference
from airloop.watch.words import Words

KNOWN = [f"word{number}" for number in range(3000)]
STRANGE = [f"neu{number}" for number in range(3000)]


def documents(seed: int, *, length: int = 12, new: float = 0.0, rows: int = 1500) -> pd.Series:
    """Texts of about `length` words, drawn as words of a language are: few often, most of them seldom."""
    draw = np.random.default_rng(seed)
    texts = []
    for count in draw.poisson(length, rows) + 1:
        places = np.minimum(draw.zipf(1.3, count) - 1, 2999)
        texts.append(" ".join((STRANGE if draw.random() < new else KNOWN)[place] for place in places))
    return pd.Series(texts, name="remark")


def sides(then: pd.Series, now: pd.Series) -> tuple[Sides, Sides]:
    none = pd.Series(dtype="float64")
    return (
        Sides(then.to_frame(), none, categories=("remark",), documents=("remark",)),
        Sides(now.to_frame(), none, categories=("remark",), documents=("remark",)),
    )


def of_documents(then: pd.Series, now: pd.Series) -> Drift:
    before, after = sides(then, now)
    return measure(reference(before), after, ignore=(), threshold=0.2)


def test_other_documents_of_the_same_kind_are_no_drift() -> None:
    same = of_documents(documents(1), documents(2))
    assert same.drifted == ()
    assert same.psi["remark"] < 0.05
    assert same.columns["remark"].new_share < 0.02


@pytest.mark.parametrize(
    ("now", "new"),
    [({"length": 30}, 0.0), ({"new": 0.4}, 0.3)],
    ids=["longer documents", "words that were not met"],
)
def test_longer_documents_and_new_words_are_drift(now: dict[str, float], new: float) -> None:
    moved = of_documents(documents(1), documents(2, **now))  # type: ignore[arg-type]
    assert moved.drifted == ("remark",)
    assert moved.columns["remark"].new_share >= new


def test_missing_texts_are_counted_and_drift_when_they_are_more() -> None:
    then, now = documents(1), documents(2)
    now.iloc[::2] = None
    found = of_documents(then, now)
    assert found.drifted == ("remark",)
    assert found.columns["remark"].missing_shares == (0.0, 0.5)


def test_a_word_of_the_reference_is_new_where_no_other_document_has_it() -> None:
    then = words.words(pd.Series(["red apple", "red pear", None]))
    lengths, shares = then.beside(pd.Series(["red plum tree", "", None]))
    assert then.known == ("apple", "pear", "red")
    assert (then.lengths.values, then.new_share) == (2, 0.5)
    assert shares.iloc[0] == pytest.approx(2 / 3)
    assert shares.isna().tolist() == [False, True, True]
    assert lengths.tolist()[:2] == [3.0, 0.0]
    assert lengths.isna().tolist() == [False, False, True]
    assert Words.from_json(then.to_json()) == then
    assert words.words(pd.Series([None, ""])).new_share == 0.0


def test_the_page_shows_how_long_documents_are(toy_settings: Settings) -> None:
    both = sides(documents(1), documents(2, length=30))
    seed = toy.toy_pipeline(toy_settings).training.seed
    page = drift_report.page(
        measure(reference(both[0]), both[1], ignore=(), threshold=0.2),
        both,
        ignore=(),
        threshold=0.2,
        sample_rows=500,
        seed=seed,
        headline={"window": "one"},
    )
    assert "remark" in page
    assert "word17 " not in page
