"""Questions that have an answer in a world in which nobody errs, and the ways to find it."""

from collections import Counter
from random import Random
from typing import NamedTuple

from knowledge.news import SOURCES, News
from knowledge.news_graph import graph_of, store_of, typed_paths, walk
from knowledge.parsers import HOPS, Parser
from knowledge.passages import Passages, by_both, by_text, by_text_again
from knowledge.queries import Path, ask
from knowledge.questions import Names, in_words, path_of


class Asked(NamedTuple):
    """A path about a day, or about today if it has none."""

    path: Path
    day: int
    answer: set[str]  # in the world
    words: str


class Questions:
    """A world, its store, its sentences, and questions.

    Args:
        seed: of the world, and of the questions.
        size, persons, shops: of the news.
        number: of questions, for each number of hops.
    """

    def __init__(self, seed: int, size: int, persons: int, shops: int, number: int) -> None:
        self.news = News(seed, size, persons, shops, sources=dict.fromkeys(SOURCES, 1.0))
        self.store, self.passages = store_of(self.news, self.news.pieces), Passages(self.news)
        self.facts, self.today = self.store.facts(), size // 5 - 1
        self.called = {entity: names[-1] for entity, names in self.news.truth.entities.items()}
        count = Counter(self.called.values())
        named = {name: entity for entity, name in self.called.items() if count[name] == 1}
        self.names, rng = Names(named), Random(f"questions {seed}")
        self.asked = {hops: [self._draw(hops, sorted(named.values()), rng) for _ in range(number)] for hops in HOPS}

    def _draw(self, hops: int, entities: list[str], rng: Random) -> Asked:
        while True:
            day = rng.randrange(self.today // 5, self.today) if rng.random() < 0.5 else None
            kind, steps = rng.choice(typed_paths(hops))
            path = Path(rng.choice([one for one in entities if one.startswith(kind)]), steps, day)
            on = self.today if day is None else day
            if answer := walk(graph_of(self.news.truth.facts, on), path.start, steps):
                return Asked(path, on, answer, in_words(path, self.called[path.start], rng))

    def by_graph(self, hops: int) -> float:
        """Return how often the store is right about the true path."""
        return self._right(hops, [set(ask(self.store, Path(one.path.start, one.path.steps, one.day)))
                                  for one in self.asked[hops]])  # fmt: skip

    def by_parser(self, hops: int, parser: Parser, new: int, rng: Random) -> float:
        """Return how often it is right about the path that a parser reads in words, `new` of them unknown to it."""
        said = [in_words(one.path, self.called[one.path.start], rng, new) for one in self.asked[hops]]
        sources, values = zip(*(self.names.without(words) for words in said), strict=True)
        paths = [path_of(*read) for read in zip(parser.parse(sources), values, strict=True)]
        found = []
        for path in paths:
            day = self.today if path is None or path.day is None else path.day
            found.append(set() if path is None else set(ask(self.store, Path(path.start, path.steps, day))))
        return self._right(hops, found)

    def by_sentences(self, hops: int, tokens: int, again: bool, name_alone: bool) -> float:
        """Return how often a reader is right that gets sentences.

        Args:
            hops: of the questions.
            tokens: that it reads.
            again: there is a search for each hop, else one in all.
            name_alone: the first search is for the name in the question, else for all words of the question.
        """
        found = []
        for path, day, _, words in self.asked[hops]:
            given = (
                self.passages,
                path,
                self.called[path.start] if name_alone else words,
                day,
                self.store.tick,
                tokens,
            )
            found.append(by_text_again(*given, self.called) if again else by_text(*given))
        return self._right(hops, found)

    def by_facts(self, hops: int, tokens: int, share: float) -> float:
        """Return how often a reader is right that gets facts for a share of its tokens, and sentences for the rest."""
        return self._right(hops, [
            by_both(self.passages, graph_of(self.facts, one.day), one.path, one.words, one.day, self.store.tick, tokens,
                    self.called, share) for one in self.asked[hops]
        ])  # fmt: skip

    def _right(self, hops: int, found: list[set[str]]) -> float:
        return sum(one == question.answer for one, question in zip(found, self.asked[hops], strict=True)) / len(found)
