"""How large should pieces be, and how much should neighbours share? Long documents of dictionary entries, and BM25.

    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/chunk_size.py
    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/chunk_size.py --budget 400

DIR/foldoc/foldoc.txt.gz holds the dictionary. Theory: notes/09_pieces_of_a_document.md
"""

import random
import statistics
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.bm25 import BM25
from retrieval.chunks import cut, cut_by_length
from retrieval.intervals import Difference, Estimate, compare, mean_over_queries
from retrieval.kinds import Chunk
from retrieval.long_documents import LongDocuments, delivered, join_entries, most_delivered
from retrieval.words import Words
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.text.foldoc import read_entries

WHOLE = 10**9
LETTERS = 6  # of a word, with the space behind it: how long chunks of whole sentences may be


@dataclass(frozen=True)
class Config(ScriptConfig):
    entries: PositiveInt = 4000  # of the dictionary
    per_document: PositiveInt = 20  # entries of a document
    questions: AtLeastTwo = 1000  # drawn of all
    budget: PositiveInt = 200  # words that a reader can take
    sizes: tuple[AtLeastTwo, ...] = (12, 25, 50, 100, 200, 400)  # words of a chunk


@dataclass(frozen=True)
class Measured:
    """Of one way to cut: its chunks, and means over questions."""

    chunks: int
    words: int  # in all chunks
    right_document: Estimate  # share of questions whose best chunk is of the right document
    delivered: Estimate  # share of the right passage that the reader sees


@dataclass(frozen=True)
class Results:
    words_of_a_document: float
    words_of_a_passage: float
    ceiling: float  # share of the passage that a perfect retriever could deliver
    sizes: list[int]
    ways: dict[str, list[Measured]]  # by the way of cutting, for each size
    whole: Measured  # documents as they are
    overlap_gain: list[Difference]  # of what is delivered with an overlap of half, minus without, for each size


def pieces(way: str, texts: list[str], size: int) -> list[tuple[int, Chunk]]:
    """Return all chunks of all documents, each with the number of its document."""
    found = []
    for number, text in enumerate(texts):
        if way == "sentences":
            chunks = cut_by_length(str(number), text, size * LETTERS)
        else:
            chunks = cut(str(number), text, "words", size, {"words": 0, "words, half shared": size // 2}[way])
        found += [(number, chunk) for chunk in chunks]
    return found


def answer(world: LongDocuments, chunks: list[tuple[int, Chunk]], budget: int) -> tuple[list[float], list[float]]:
    """Return, for each question, whether the best chunk is of the right document, and the share delivered."""
    bm25 = BM25([chunk.text for _, chunk in chunks], Words(stem=True))
    hits, shares = [], []
    for question in world.questions:
        ranked = [chunks[number] for number, _ in bm25.search(question.text, budget)]
        hits.append(float(bool(ranked) and ranked[0][0] == question.document))
        shares.append(delivered(question, ranked, budget))
    return hits, shares


def main(config: Config) -> Results:
    generator = random.Random(config.seed)
    entries = generator.sample(read_entries(), config.entries)
    made = join_entries(entries, config.per_document, generator)
    asked = generator.sample(made.questions, min(config.questions, len(made.questions)))
    world, draws = LongDocuments(made.texts, asked), np.random.default_rng(config.seed)

    def measure(chunks: list[tuple[int, Chunk]]) -> tuple[Measured, list[float]]:
        hits, shares = answer(world, chunks, config.budget)
        words = sum(len(chunk.text.split()) for _, chunk in chunks)
        estimates = mean_over_queries(hits, draws), mean_over_queries(shares, draws)
        return Measured(len(chunks), words, *estimates), shares

    ways, shares = {}, {}
    for way in ("words", "words, half shared", "sentences"):
        found = [measure(pieces(way, world.texts, size)) for size in tqdm(config.sizes, desc=way, disable=None)]
        ways[way], shares[way] = [item for item, _ in found], [item for _, item in found]
        for size, item in zip(config.sizes, ways[way], strict=True):
            print(
                f"{way:<20}{size:>5} words: {item.chunks:>7,} chunks, right document {item.right_document.mean:.3f}, "
                f"delivered {item.delivered.mean:.3f}"
            )
    whole, _ = measure(pieces("words", world.texts, WHOLE))
    print(f"whole documents: right document {whole.right_document.mean:.3f}, delivered {whole.delivered.mean:.3f}")
    pairs = zip(shares["words, half shared"], shares["words"], strict=True)
    gains = [compare(half, none, draws) for half, none in pairs]
    passages = [world.texts[question.document][question.start : question.end].split() for question in asked]
    most = [most_delivered(question, world.texts[question.document], config.budget) for question in asked]
    return Results(
        statistics.fmean(len(text.split()) for text in world.texts),
        statistics.fmean(len(passage) for passage in passages),
        statistics.fmean(most),
        list(config.sizes),
        ways,
        whole,
        gains,
    )


def plot(results: Results) -> Figure:
    """Draw how often the document is found, and how much of the passage the reader sees, by the size of a chunk."""
    figure, (left, right) = new_figure(7.8, 3.6, columns=2)
    for place, (way, measured) in enumerate(results.ways.items()):
        for axes, kind in ((left, "right_document"), (right, "delivered")):
            found = [getattr(item, kind) for item in measured]
            means = [item.mean for item in found]
            bars = [[m - e.low for m, e in zip(means, found, strict=True)], [e.high - e.mean for e in found]]
            beside = [size * 1.06 ** (place - 1) for size in results.sizes]  # no interval hides another one
            axes.errorbar(beside, means, bars, fmt="o-", color=COLOURS[place], markersize=4, label=way)
    for axes, value in ((left, results.whole.right_document.mean), (right, results.whole.delivered.mean)):
        axes.axhline(value, color="#777777", linestyle=":")
        axes.text(results.sizes[0], value, "whole documents", fontsize=8, va="bottom")
        axes.set(xscale="log", xlabel="words of a chunk")
        axes.set_xticks(results.sizes, [str(size) for size in results.sizes])
        axes.minorticks_off()
    right.axhline(results.ceiling, color="black", linestyle="--")
    right.text(results.sizes[0], results.ceiling, "perfect retriever", fontsize=8, va="bottom")
    left.set_title("best chunk is of the right document", fontsize=10)
    right.set_title("share of the passage that is seen", fontsize=10)
    right.set_ylim(0, 1.05)
    left.legend(fontsize=8, loc="lower right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
