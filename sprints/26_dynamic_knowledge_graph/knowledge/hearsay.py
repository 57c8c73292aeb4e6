"""A small world that does to a store all that can be done to it: six names of which things are said and taken back."""

import math
from collections.abc import Collection, Iterable, Sequence

import torch

from knowledge.kinds import Claim, Mention, Record
from knowledge.store import Arrival, Decision, Node, Reading, Weights

SOURCES, SINGLE = {"herald": 0.9, "gossip": 0.6, "rumour": 0.6}, {"works_at": 3}
NAMES, SHOPS = ("ava", "av", "avery", "bo", "bob", "b"), ("Sun", "Moon", "Star")


def said(
    key: str, subject: str, relation: str, object: str, day: int, source: str = "herald", holds: bool = True
) -> Reading:
    """Return the record "subject relation object", read."""
    text = f"{subject} {relation} {object}"
    person = Mention(0, len(subject), subject, "person")
    shop = Mention(len(text) - len(object), len(text), object, "shop")
    return Reading(Record(key, source, day, text), (Claim(key, person, relation, shop, day, holds),))


def taken_back(key: str, target: str, source: str = "herald", day: int = 0) -> Reading:
    """Return the record that takes another one back."""
    return Reading(Record(key, source, day, "", target))


def hearsay(arrivals: int, generator: torch.Generator) -> list[Arrival]:
    """Return what arrives: three of four say something, others take back what came or will come, or decide."""

    def draw(number: int) -> int:
        return int(torch.randint(number, (1,), generator=generator))

    found: list[Arrival] = []
    for place in range(arrivals):
        kind = draw(20)
        if kind < 15:
            relation, source = ("works_at", "likes")[draw(2)], list(SOURCES)[draw(3)]
            found.append(said(f"r{place}", NAMES[draw(6)], relation, SHOPS[draw(3)], draw(6), source, draw(4) > 0))
        elif kind < 18:
            found.append(taken_back(f"r{place}", f"r{(place + 1 + draw(arrivals)) % (arrivals + 1)}"))
        else:
            one = draw(6)
            other = (one + 1 + draw(5)) % 6
            found.append(Decision(f"d{place}", f"person:{NAMES[one]}", f"person:{NAMES[other]}", draw(2) > 0, draw(3)))
    return found


class Prefixes:
    """Joins persons of whom one name begins with the other, as far as the evidence against it is not stronger."""

    def node(self, record: Record, mention: Mention) -> Node:  # noqa: ARG002
        return Node(f"{mention.kind}:{mention.text}", mention.kind, {"name": mention.text}, (mention.text[0],))

    def weight(self, one: Node, other: Node) -> float:
        short, long = sorted((one.fields["name"], other.fields["name"]), key=len)
        if one.kind != other.kind:
            return 0.0
        return 1.0 if long.startswith(short) else -0.5 if long[:2] == short[:2] else -1.0

    def clusters(self, names: Sequence[str], weights: Weights) -> Iterable[Collection[str]]:
        """Join the two clusters with the largest sum of weights between them, while one is above 0."""
        clusters = [[name] for name in names]

        def between(one: list[str], other: list[str]) -> float:
            return math.fsum(weights.get((min(a, b), max(a, b)), 0.0) for a in one for b in other)

        while len(clusters) > 1:
            pairs = [(between(a, b), -i, -j) for i, a in enumerate(clusters) for j, b in enumerate(clusters[:i])]
            most, later, earlier = max(pairs)
            if most <= 0:
                break
            clusters[-earlier] += clusters.pop(-later)
        return clusters
