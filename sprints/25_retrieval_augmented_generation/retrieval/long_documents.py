"""Long documents with many topics, made of dictionary entries, and questions whose answers stand at known places."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.chunks import Span, spans
from retrieval.kinds import Chunk
from shared.text.foldoc import Entry

LEAST_ASKED, LEAST_WORDS = 8, 30  # of a question, and of the passage that it asks for


@dataclass(frozen=True)
class Question:
    """A query, and the passage that answers it: `texts[document][start:end]`."""

    text: str
    document: int
    start: int
    end: int


@dataclass(frozen=True)
class LongDocuments:
    """Texts, and questions for passages of them."""

    texts: list[str]
    questions: list[Question]


def join_entries(entries: Sequence[Entry], per_document: int, generator: random.Random) -> LongDocuments:
    """Return entries in a random order, so many to a document, one paragraph behind the other.

    The first sentence of an entry mostly says what the thing is. Where it is long enough, and enough remains without
    it, it is taken out of the text and becomes the question; the rest is the passage that answers it. (An inverse cloze
    task, Lee et al. 2019.)

    Args:
        entries: of the dictionary.
        per_document: entries of a document; what is left over at the end is left out.
        generator: shuffles.

    Raises:
        ValueError: fewer entries than one document needs.
    """
    if not 1 <= per_document <= len(entries):
        raise ValueError(f"a document needs from 1 to all {len(entries):,} entries; got {per_document:,}")
    order = generator.sample(list(entries), len(entries) // per_document * per_document)
    texts, questions = [], []
    for first in range(0, len(order), per_document):
        whole = ""
        for entry in order[first : first + per_document]:
            question, passage = _question_of(entry)
            whole += "\n\n" if whole else ""
            if question:
                questions.append(Question(question, len(texts), len(whole), len(whole) + len(passage)))
            whole += passage
        texts.append(whole)
    return LongDocuments(texts, questions)


def _question_of(entry: Entry) -> tuple[str, str]:
    """Return the first sentence of an entry and the rest, or nothing and all of it."""
    text = entry.plain
    if text.startswith("<") and "> " in text:
        text = text[text.index("> ") + 2 :]  # <its subject>
    sentences = spans(text, "sentences")
    if len(sentences) > 1:
        question, passage = text[slice(*sentences[0])], text[sentences[1][0] :]
        if len(question.split()) >= LEAST_ASKED and len(passage.split()) >= LEAST_WORDS:
            return question, passage
    return "", text


def delivered(question: Question, chunks: Sequence[tuple[int, Chunk]], budget: int) -> float:
    """Return the share of a passage's characters that a reader gets to see.

    Args:
        question: has the passage.
        chunks: number of the document and chunk, best first. The reader gets them one behind the other until its budget
            is used up; what stands in two of them costs twice.
        budget: words that the reader can take.
    """
    seen: set[int] = set()
    for document, chunk in chunks:
        words = spans(chunk.text, "words")[:budget]
        budget -= len(words)
        if words and document == question.document:
            start, end = max(question.start, chunk.start), min(question.end, chunk.start + words[-1][1])
            seen.update(range(start, end))
        if budget <= 0:
            break
    return len(seen) / (question.end - question.start)


def most_delivered(question: Question, text: str, budget: int) -> float:
    """Return the share that a reader gets whose retriever finds the passage, and nothing else."""
    words: list[Span] = spans(text[question.start : question.end], "words")[:budget]
    return words[-1][1] / (question.end - question.start)


def whole_probability(length: int, size: int, overlap: int) -> float:
    r"""Return the probability that a fact of `length` words stands whole in a chunk, if it may begin anywhere.

    A chunk begins every $s - o$ words and holds the fact whole for $s - l + 1$ beginnings, so
    $\min(1, (s - l + 1)/(s - o))$.

    Raises:
        ValueError: the overlap is not from 0 to below the size, or the fact has no words.
    """
    if not 0 <= overlap < size or length < 1:
        raise ValueError(
            f"the overlap must be from 0 to below the size, and a fact needs a word; got length {length}, size {size}, "
            f"overlap {overlap}"
        )
    return min(1.0, max(0, size - length + 1) / (size - overlap))
