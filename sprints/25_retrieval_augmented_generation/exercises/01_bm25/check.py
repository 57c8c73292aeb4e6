"""Checks of `word_worth` and `bm25_scores`: note 1's example, repetitions, settings, unknown words."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

NOTE = [["onion", "soup"], ["soup", "onion", "onion", "rings"], ["tomato", "soup", "large", "party"], ["lemon", "cake"]]


def worth(having: int, documents: int) -> float:
    return math.log(1 + (documents - having + 0.5) / (having + 0.5))


def expect_worth(learner: Any, word: str, documents: list[list[str]]) -> None:
    """Compare the worth of a word with the right one, and with what is often taken for it."""

    def word_worth(word: str, documents: list[list[str]]) -> Tensor:
        return torch.tensor(learner.word_worth(word, documents), dtype=torch.double)

    count = len(documents)
    having = sum(word in document for document in documents)
    occurrences = sum(document.count(word) for document in documents)
    robertson = math.log((count - having + 0.5) / (having + 0.5))
    mistakes = {
        "n counts documents that have the word, not its occurrences.": worth(min(occurrences, count), count),
        "The 1 within the logarithm is missing: this is Robertson's formula.": robertson,
        "This is Robertson's formula, with its floor at 0.": max(0.0, robertson),
        "This is ATIRE's formula, ln(N / n).": math.log(count / having) if having else math.inf,
        "The logarithm is to another base: here it is the natural one.": worth(having, count) / math.log(2),
    }
    expect(
        word_worth,
        {"word": word, "documents": documents},
        torch.tensor(worth(having, count), dtype=torch.double),
        {sentence: torch.tensor(value, dtype=torch.double) for sentence, value in mistakes.items()},
    )


def scores_of(
    query: Sequence[str], documents: list[list[str]], k1: float, b: float, *, times: float = 1, once: bool = False,
    unique: bool = False, inverted: bool = False, unsaturated: bool = False,
) -> Tensor:  # fmt: skip
    """Return scores, right ones or, by an option, wrong ones."""
    lengths = [len(set(document)) if unique else len(document) for document in documents]
    mean = sum(lengths) / len(lengths)
    found = []
    for document, length in zip(documents, lengths, strict=True):
        counts, relative = Counter(document), mean / max(length, 1) if inverted else length / mean
        slowness = k1 * (1 - b + b * relative)
        score = 0.0
        for word in dict.fromkeys(query) if once else query:
            if count := counts[word]:
                having = sum(word in other for other in documents)
                score += times * worth(having, len(documents)) * (count if unsaturated else count / (count + slowness))
        found.append(score)
    return torch.tensor(found, dtype=torch.double)


def expect_scores(learner: Any, query: list[str], documents: list[list[str]], k1: float = 1.2, b: float = 0.75) -> None:
    """Compare scores with the right ones, and with what is often taken for them."""

    def bm25_scores(query: list[str], documents: list[list[str]], k1: float, b: float) -> Tensor:
        return torch.tensor(learner.bm25_scores(query, documents, k1, b), dtype=torch.double)

    given = {"query": query, "documents": documents, "k1": k1, "b": b}
    expect(bm25_scores, given, scores_of(query, documents, k1, b), {
        "A word that the query has twice counts twice.": scores_of(query, documents, k1, b, once=True),
        "This is ATIRE's factor, k1 + 1 times Lucene's.": scores_of(query, documents, k1, b, times=k1 + 1),
        "The length of a document counts every word, repeated ones as well.": (
            scores_of(query, documents, k1, b, unique=True)
        ),
        "Long documents gain here: take length / mean length, not its inverse.": (
            scores_of(query, documents, k1, b, inverted=True)
        ),
        "The count is not saturated: divide it by count + K.": scores_of(query, documents, k1, b, unsaturated=True),
        "Is b = 1 meant? 1 - b + b * length / mean length leaves a document of mean length as it is.": (
            scores_of(query, documents, k1, 1.0)
        ),
    })  # fmt: skip


def check_what_a_word_is_worth(learner: Any) -> None:
    """The words of note 1, and one that no document has."""
    for word in ("onion", "soup", "cake", "dinner"):
        expect_worth(learner, word, NOTE)


def check_the_example_of_the_note(learner: Any) -> None:
    """Onion soup."""
    expect_scores(learner, ["onion", "soup"], NOTE)


def check_repetitions(learner: Any) -> None:
    """In the query, and in documents of very different lengths."""
    expect_scores(learner, ["onion", "onion", "party"], NOTE)
    expect_scores(learner, ["salt"], [["salt"] * 9 + ["oil"], ["salt", "oil"], ["egg"] * 30 + ["salt"], []])


def check_settings(learner: Any) -> None:
    """k1 and b at their ends."""
    for k1, b in ((0.0, 0.75), (2.0, 0.0), (1.2, 1.0)):
        expect_scores(learner, ["onion", "soup", "dinner"], NOTE, k1, b)
