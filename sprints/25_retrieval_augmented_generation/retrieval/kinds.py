"""What is found, and what finds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Chunk:
    """A piece of a document: `text == whole[start:end]`."""

    document: str  # its name, or the path of its file
    start: int  # characters before it
    end: int  # characters up to its last one
    text: str


class Retriever(Protocol):
    """Finds among documents that it has indexed, which are numbered from 0 on."""

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Return the numbers and scores of the best `count` documents, best first; equal scores by number."""
        ...


# For each query its documents and scores; what is relevant, and how much. The form that trec_eval reads.
Run = dict[str, dict[str, float]]
Relevant = dict[str, dict[str, int]]


def as_run(found: Sequence[Sequence[tuple[int, float]]]) -> Run:
    """Return what a retriever found for queries 0, 1, 2, ... as a run."""
    return {str(query): {str(number): score for number, score in ranking} for query, ranking in enumerate(found)}
