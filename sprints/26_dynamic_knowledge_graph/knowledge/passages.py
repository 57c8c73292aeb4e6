"""Three ways to bring a reader what it may read, at most so many tokens of it: sentences, twice sentences, and facts.

The reader is a rule, and the same for all: it understands the question and each sentence without an error, weighs what
contradicts as the store does, and walks. So what differs between the ways is only what they find.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from knowledge.kinds import Fact
from knowledge.news import SOURCES, News
from knowledge.news_graph import SCHEMA, Graph, graph_of, readings, walk
from knowledge.periods import Said, log_odds, periods
from knowledge.queries import Path
from knowledge.store import Reading

Group = tuple[str, str]  # an entity, and a relation of which it is the subject


class Passages:
    """The sentences of news behind a full-text index, in order of arrival.

    Args:
        news: all that arrives.
    """

    def __init__(self, news: News) -> None:
        self.truth = news.truth
        self.readings: list[Reading] = list(readings(news.pieces, news.truth))
        towns = len(news.words.town)
        self.options = {"works_at": news.shops, "lives_in": towns, "located_in": towns}
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("CREATE VIRTUAL TABLE passages USING fts5(text)")
        seen: set[str] = set()
        for place, reading in enumerate(self.readings):
            if reading.record.text and reading.record.key not in seen:
                seen.add(reading.record.key)
                self.connection.execute(
                    "INSERT INTO passages (rowid, text) VALUES (?, ?)", (place + 1, reading.record.text)
                )

    def search(self, words: str, known: int, tokens: int, but: Iterable[int] = ()) -> list[int]:
        """Return the best passages by BM25 (FTS5's k1 = 1.2 and b = 0.75), until the next one would be too long.

        Args:
            words: of the question; one of them is enough.
            known: only the first arrivals.
            tokens: at most so many words in all.
            but: passages that are there already.

        Returns:
            Places in the stream.
        """
        query = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", words))
        found, left, there = [], tokens, set(but)
        for place, text in self.connection.execute(
            "SELECT rowid - 1, text FROM passages WHERE passages MATCH ? AND rowid <= ? ORDER BY rank", (query, known)
        ):
            if place in there:
                continue
            left -= length(text)
            if left < 0:
                break
            found.append(place)
        return found

    def facts(self, places: Sequence[int]) -> list[Fact]:
        """Return what a reader of these passages believes: their claims, weighed as in the store."""
        said: dict[tuple, list[Said]] = defaultdict(list)
        names: dict[str, int] = {}
        for place in places:
            for claim in self.readings[place].claims:
                subject, object = (
                    self.truth.mentions[claim.record, end.start] for end in (claim.subject, claim.object)
                )
                number = names.setdefault(object, len(names))
                group = (subject, claim.relation, "" if claim.relation in self.options else object)
                source = self.readings[place].record.source
                said[group].append(Said(number, claim.day, claim.holds, source, claim.record))
        objects = list(names)
        return [
            Fact(subject, relation, objects[one.object], one.since, one.until, one.records)
            for (subject, relation, _), claims in said.items()
            for one in periods(claims, lambda source: log_odds(SOURCES[source]), self.options.get(relation, 2))
        ]


def length(text: str) -> int:
    """Return the number of tokens of a text: words and marks."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def by_text(passages: Passages, path: Path, words: str, day: int, known: int, tokens: int) -> set[str]:
    """Return what one search with these words finds."""
    return walk(graph_of(passages.facts(passages.search(words, known, tokens)), day), path.start, path.steps)


def by_text_again(
    passages: Passages, path: Path, words: str, day: int, known: int, tokens: int, called: Mapping[str, str]
) -> set[str]:
    """Return what searches find of which each has a share of the tokens, and the names that the one before it found."""
    places = passages.search(words, known, tokens // len(path.steps))
    for done in range(1, len(path.steps)):
        graph = graph_of(passages.facts(places), day)
        names = " ".join(called[one] for one in sorted(walk(graph, path.start, path.steps[:done])))
        if not names:
            break
        places += passages.search(names, known, tokens // len(path.steps), places)
    return walk(graph_of(passages.facts(places), day), path.start, path.steps)


def around(graph: Graph, start: str, hops: int, tokens: int, called: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the facts around an entity, near ones first, until the next one would be too many tokens as a line.

    A line is "Anna Berg works_at Blue Kettle".
    """
    found: dict[tuple[str, str, str], None] = {}
    ring, seen, left = [start], {start}, tokens
    for _ in range(hops):
        after = []
        for here in ring:
            for relation in SCHEMA:
                for forward in (True, False):
                    for there in sorted(graph.get((here, relation, forward), ())):
                        fact = (here, relation, there) if forward else (there, relation, here)
                        if fact not in found:
                            left -= length(f"{called[fact[0]]} {relation} {called[fact[2]]}")
                            if left < 0:
                                return list(found)
                            found[fact] = None
                        if there not in seen:
                            seen.add(there)
                            after.append(there)
        ring = after
    return list(found)


def by_both(
    passages: Passages, graph: Graph, path: Path, words: str, day: int, known: int, tokens: int,
    called: Mapping[str, str], share: float,
) -> set[str]:  # fmt: skip
    """Return what facts around the start say, with a share of the tokens, and passages where no fact says anything."""
    lines = around(graph, path.start, len(path.steps), round(share * tokens), called)
    both: Graph = defaultdict(set)
    for subject, relation, object in lines:
        both[subject, relation, True].add(object)
        both[object, relation, False].add(subject)
    spent = sum(length(f"{called[one]} {relation} {called[other]}") for one, relation, other in lines)
    read = graph_of(passages.facts(passages.search(words, known, tokens - spent)), day)
    for key, ends in read.items():
        both.setdefault(key, ends)
    return walk(both, path.start, path.steps)
