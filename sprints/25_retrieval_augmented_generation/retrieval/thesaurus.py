"""A search for words that looks each one up in a thesaurus: the cheapest search for meanings, if one has the list."""

from collections import defaultdict
from functools import cache

from retrieval.bm25 import BM25
from retrieval.pantry_grammar import TABLES, words_of


@cache
def meanings() -> dict[str, tuple[str, ...]]:
    """Return for each synonym of the pantry the words it may stand for: *medic* for doctor and nurse."""
    found: dict[str, list[str]] = defaultdict(list)
    for table in TABLES:
        for word, synonyms in words_of(table).items():
            for synonym in synonyms:
                found[synonym.lower()].append(word)
    return {synonym: tuple(words) for synonym, words in found.items()}


class Thesaurus:
    """Asks an index for the words of a query, and for all that they may mean."""

    def __init__(self, index: BM25) -> None:
        self.index = index

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Return the numbers and scores of the best documents."""
        more = [meaning for word in self.index.words(query) for meaning in meanings().get(word, ())]
        return self.index.search(" ".join((query, *more)), count)
