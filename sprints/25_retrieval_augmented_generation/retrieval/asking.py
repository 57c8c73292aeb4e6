"""Ask an index: the chunks that fit, the one sentence that fits best, or "I do not know"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retrieval.bm25 import BM25, inverse_document_frequency
from retrieval.chunks import spans
from retrieval.encoders import WORDS_ONLY, Encoder, minilm_encoder
from retrieval.folder import Place, titled
from retrieval.fusion import Fused
from retrieval.kinds import Chunk, Retriever
from retrieval.store import Indexed
from retrieval.vectors import Flat, VectorRetriever
from retrieval.words import Words

UNKNOWN = "I do not know."
ModelName = Literal["words", "minilm"]


# What Markdown begins on a line of its own goes up to the next such line: headings, items, rows of tables, fences.
LINE = re.compile(r"\S(?:(?!\n[ \t]*(?:[-*+|#>]|\d+\.|```|<)).)*", re.DOTALL)


def encoder_named(name: str) -> Encoder:
    """Return what makes the vectors: nothing for "words", MiniLM for "minilm"."""
    return WORDS_ONLY if name == "words" else minilm_encoder()


@dataclass(frozen=True)
class Source:
    """A piece of a document, and where it stands."""

    chunk: Chunk
    place: Place


@dataclass(frozen=True)
class Answer:
    """What is said to a question.

    Args:
        sentence: the best one, word for word as it stands in its document; also where nothing is said.
        sources: chunks that fit, best first; the sentence may be of any of them.
        confidence: in the sentence, from 0 to 1.
        known: whether the confidence is high enough to say it.
    """

    sentence: Source
    sources: list[Source]
    confidence: float
    known: bool

    @property
    def text(self) -> str:
        """Return the answer in one line."""
        return " ".join(self.sentence.chunk.text.split()) if self.known else UNKNOWN


class Asker:
    """Answers questions out of an index.

    Args:
        indexed: what is searched, at least one chunk.
        encoder: with which it was made. Without vectors words alone decide.
        enough: confidence from which on a sentence is given.
    """

    def __init__(self, indexed: Indexed, encoder: Encoder, enough: float) -> None:
        if not indexed.chunks:
            raise ValueError("there is nothing to ask: the index is empty")
        self.indexed, self.encode, self.enough = indexed, encoder.encode, enough
        self.lexical = BM25(
            [titled(indexed.documents[one.document], [one])[0] for one in indexed.chunks], Words(stem=True)
        )
        self.having = dict(zip(self.lexical.vocabulary, self.lexical.having.tolist(), strict=True))
        retrievers: list[Retriever] = [self.lexical]
        if self.encode is not None:
            retrievers.append(VectorRetriever(self.encode, Flat(indexed.vectors)))
        self.retriever = Fused(retrievers, depth=50)

    def ask(self, question: str, count: int = 3) -> Answer | None:
        """Return the answer with up to `count` sources, or None if nothing in the index fits."""
        numbers = [number for number, _ in self.retriever.search(question, count)]
        if not numbers:
            return None
        chunks = [self.indexed.chunks[number] for number in numbers]
        sentences, windows = [], []
        for chunk in chunks:
            inside = sentences_of(chunk)
            sentences += inside
            texts = [sentence.text for sentence in inside]
            windows += [" ".join(texts[max(0, place - 1) : place + 2]) for place in range(len(texts))]
        if not sentences:
            return None
        # What a sentence is about often stands in the one before it, or behind it.
        fits = self.confidences(question, [*(sentence.text for sentence in sentences), *windows])
        scores = fits.reshape(2, -1).mean(axis=0)
        best = int(scores.argmax())
        sources = [self._source(chunk) for chunk in chunks]
        return Answer(self._source(sentences[best]), sources, float(scores[best]), bool(scores[best] >= self.enough))

    def confidences(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """Return for each text from 0 to 1 how well it fits the question.

        The share of the question's words that stand in the text, each counted with its inverse document frequency; with
        vectors, the mean of this share and the cosine.
        """
        words = self.lexical.words
        asked = list(dict.fromkeys(words(question)))  # in their order: sums are the same each time
        having = np.array([self.having.get(word, 0) for word in asked], dtype=float)  # chunks with each word
        worth = dict(zip(asked, inverse_document_frequency(having, len(self.indexed.chunks), "lucene"), strict=True))
        total = sum(worth.values()) or 1.0
        held = [set(words(text)) for text in texts]
        shares = [sum(worth[word] for word in asked if word in there) / total for there in held]
        if self.encode is None:
            return np.array(shares)
        vectors = self.encode([question, *texts])
        return (np.array(shares) + np.clip(vectors[1:] @ vectors[0], 0, 1)) / 2

    def _source(self, chunk: Chunk) -> Source:
        return Source(chunk, self.indexed.documents[chunk.document].place(chunk.start, chunk.end))


def sentences_of(chunk: Chunk) -> list[Chunk]:
    """Return the sentences of a chunk, with their places in the document; code is left out."""
    found = []
    for start, end in spans(chunk.text, "sentences"):
        for piece in LINE.finditer(chunk.text, start, end):
            begin, stop = piece.span()
            if re.search("[a-z]{3}", piece.group()):
                found.append(Chunk(chunk.document, chunk.start + begin, chunk.start + stop, piece.group()))
    return found
