"""Kitchen news as a graph: in a store, with the mentions linked as the truth says; and walks without a database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from knowledge.kinds import Claim, Fact, Mention, Record
from knowledge.news import SOURCES, News, Piece, Truth
from knowledge.queries import Step
from knowledge.sqlite_store import SqliteStore
from knowledge.store import ByName, Node, Reading

SCHEMA = {  # kinds of subject and object
    "works_at": ("person", "shop"), "lives_in": ("person", "town"), "located_in": ("shop", "town"),
    "cooks": ("person", "dish"), "married_to": ("person", "person"),
}  # fmt: skip
Graph = dict[tuple[str, str, bool], set[str]]  # entity, relation, direction -> entities


class ByTruth(ByName):
    """Every mention belongs to the entity that it belongs to: what a perfect linker would do."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    def node(self, record: Record, mention: Mention) -> Node:
        return Node(self.truth.mentions[record.key, mention.start], mention.kind)


def readings(pieces: Iterable[Piece], truth: Truth) -> Iterator[Reading]:
    """Yield what arrives with its claims, those about two persons in one order; new names are no facts."""
    for piece in pieces:
        yield Reading(piece.record, tuple(_in_order(one, truth) for one in piece.claims if one.relation in SCHEMA))


def _in_order(claim: Claim, truth: Truth) -> Claim:
    subject, object = (truth.mentions[claim.record, end.start] for end in (claim.subject, claim.object))
    turned = claim.relation == "married_to" and subject > object
    return replace(claim, subject=claim.object, object=claim.subject) if turned else claim


def store_of(news: News, pieces: Iterable[Piece]) -> SqliteStore:
    """Return a store of pieces of news, in memory; it knows the sources, and among how many objects they choose."""
    towns = len(news.words.town)
    single = {"works_at": news.shops, "lives_in": towns, "located_in": towns}
    store = SqliteStore(None, ByTruth(news.truth), SOURCES, single)
    store.add(list(readings(pieces, news.truth)))
    return store


def graph_of(facts: Iterable[Fact], day: int) -> Graph:
    """Return what holds on a day, from both ends."""
    graph: Graph = defaultdict(set)
    for fact in facts:
        if fact.since <= day and (fact.until is None or fact.until > day):
            graph[fact.subject, fact.relation, True].add(fact.object)
            graph[fact.object, fact.relation, False].add(fact.subject)
    return graph


def walk(graph: Graph, start: str, steps: Sequence[Step]) -> set[str]:
    """Return where a walk can end, hop by hop: the reference of what is asked in SQL."""
    found = {start}
    for relation, forward in steps:
        ways = (True, False) if forward is None else (forward,)
        found = {end for one in found for way in ways for end in graph.get((one, relation, way), ())}
    return found


@cache
def typed_paths(hops: int) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """Return all kinds of walks of so many steps, each with the kind of its start.

    Left out is what only leads back: from a shop to those who work there and to their shop, or to a spouse's spouse.
    """
    found: list[tuple[str, str, tuple[Step, ...]]] = [(kind, kind, ()) for kind in ("person", "shop", "town", "dish")]
    for _ in range(hops):
        found = [
            (start, end, (*steps, step)) for start, here, steps in found for step, end in _steps_from(here)
            if not steps or not _leads_back(steps[-1], step)
        ]  # fmt: skip
    return tuple((start, steps) for start, _, steps in found)


def _steps_from(kind: str) -> list[tuple[Step, str]]:
    found: list[tuple[Step, str]] = []
    for relation, (subject, object) in SCHEMA.items():
        if subject == object == kind:
            found.append(((relation, None), kind))
        elif kind == subject:
            found.append(((relation, True), object))
        elif kind == object:
            found.append(((relation, False), subject))
    return found


def _leads_back(one: Step, then: Step) -> bool:
    if one[0] != then[0] or one[0] == "cooks":
        return False
    return one[1] is None or (one[1] is False and then[1] is True)
