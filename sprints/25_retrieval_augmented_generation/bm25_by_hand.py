"""Which of four recipes is meant by "onion soup"? BM25 by hand: an inverted index, and four formulas on it.

    uv run sprints/25_retrieval_augmented_generation/bm25_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/bm25_by_hand.py --query "lemon cake" --b 0

Theory: notes/01_counting_words.md
"""

from dataclasses import dataclass
from typing import get_args

from matplotlib.figure import Figure

from retrieval.bm25 import BM25, Variant, inverse_document_frequency
from retrieval.words import Words
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import Fraction, NonNegativeFloat
from shared.lab.run import run

TEXTS = ("Onion soup", "Soup with onion and onion rings", "Tomato soup for a large party", "Lemon cake")


@dataclass(frozen=True)
class Config(ScriptConfig):
    query: str = "onion soup"  # what is asked
    k1: NonNegativeFloat = 1.2  # how soon further occurrences of a word stop to count
    b: Fraction = 0.75  # how much a long document must pay for its length


@dataclass(frozen=True)
class Results:
    words: list[list[str]]  # of each document
    asked: list[str]
    postings: dict[str, list[list[int]]]  # for each word its documents and how often it stands there
    relative_lengths: list[float]
    idf: dict[str, dict[str, float]]  # by variant, of the words of the query that a document has
    scores: dict[str, list[float]]  # by variant, of each document


def main(config: Config) -> Results:
    cut, bm25 = Words(), BM25(TEXTS, k1=config.k1, b=config.b)
    postings = {
        word: [[int(bm25.documents[place]), int(bm25.counts[place])] for place in range(*bm25.starts[number:][:2])]
        for word, number in bm25.vocabulary.items()
    }
    asked = cut(config.query)
    known = [word for word in dict.fromkeys(asked) if word in postings]
    having = bm25.having[[bm25.vocabulary[word] for word in known]].astype(float)
    idf, scores = {}, {}
    for variant in get_args(Variant):
        values = inverse_document_frequency(having, len(TEXTS), variant)
        idf[variant] = dict(zip(known, values.tolist(), strict=True))
        bm25.weights = bm25.weigh(variant, config.k1, config.b)
        scores[variant] = bm25.scores(config.query).tolist()
    for word, documents in postings.items():
        print(f"{word:<8}{'  '.join(f'document {document}: {count}' for document, count in documents)}")
    print("score of document".ljust(20) + "".join(f"{number:>10}" for number in range(len(TEXTS))))
    for variant, values in scores.items():
        print(variant.ljust(20) + "".join(f"{value:>10.3g}" for value in values))
    relative = (bm25.lengths / bm25.lengths.mean()).tolist()
    return Results([cut(text) for text in TEXTS], asked, postings, relative, idf, scores)


def plot(results: Results) -> Figure:
    """Draw the documents, the inverted index with the words of the query in colour, and Lucene's scores."""
    figure, axes = drawings.canvas(7.9, 3.4)
    asked = set(results.asked)
    drawings.text(axes, "documents", 0.1, 3.2, align="left", bold=True)
    for number, words in enumerate(results.words):
        drawings.text(axes, f"{number}  {' '.join(words)}", 0.1, 2.72 - 0.62 * number, align="left")
    drawings.arrow(axes, (2.1, 1.8), (2.6, 1.8))
    drawings.text(axes, "inverted index: document, count", 2.75, 3.2, align="left", bold=True)
    for row, (word, postings) in enumerate(results.postings.items()):
        y = 2.95 - 0.36 * row
        drawings.text(axes, word, 3.4, y - 0.15, align="right", bold=word in asked)
        shown = [f"{document}: {count}" for document, count in postings]
        for place, cell in enumerate(shown):
            colour = COLOURS[0] if word in asked else drawings.TOKEN
            drawings.box(axes, cell, 3.5 + 0.5 * place, y - 0.28, 0.44, 0.27, colour)
    drawings.arrow(axes, (5.2, 1.8), (5.7, 1.8))
    drawings.text(axes, "scores (lucene)", 5.9, 3.2, align="left", bold=True)
    largest = max(results.scores["lucene"]) or 1.0
    for number, score in enumerate(results.scores["lucene"]):
        strength = [[0.1 + 0.6 * score / largest]]
        top = 2.95 - 0.62 * number
        drawings.text(axes, str(number), 5.95, top - 0.23)
        drawings.cells(axes, [[f"{score:.3f}"]], 6.1, top, colour=COLOURS[1], size=0.46, strengths=strength)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
