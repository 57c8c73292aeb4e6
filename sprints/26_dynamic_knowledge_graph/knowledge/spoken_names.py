"""Which mentions of a name are one person, by a few weights that were set by hand, so that each can be said in words.

How weights are learnt is notes/03_the_weight_of_evidence.md; why a cluster is cut and not closed is note 5.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from knowledge.clusters import agglomerate
from knowledge.kinds import Mention, Record
from knowledge.store import Node, Weights

PRIOR = -4.0  # bits: two mentions with one last name are mostly two persons
LAST, FIRST, INITIAL, ANOTHER, ANOTHER_INITIAL = 5.0, 4.0, 2.0, -3.0, -6.0
LONGEST = 200  # characters of a name that are looked at


class SpokenNames:
    """Persons are joined by their names; everything else is one where its letters are."""

    def node(self, record: Record, mention: Mention) -> Node:  # noqa: ARG002
        """Return the node of a mention: all mentions with the same letters are one node."""
        return self.named(f"{mention.kind}:{mention.text}")

    def named(self, name: str) -> Node:
        """Return the node of a name such as `person:A. Berg`."""
        kind, _, text = name.partition(":")
        first, last = self._parts(text)
        keys = (f"{kind}:{last}",) if kind == "person" and last else ()
        return Node(name, kind, {"first": first, "last": last}, keys)

    def reasons(self, one: Node, other: Node) -> list[tuple[str, float]]:
        """Return what speaks for one person and what against it, in words and bits."""
        first, second = one.fields["first"], other.fields["first"]
        found = [("before any evidence: seldom one", PRIOR), ("the last names are the same", LAST)]
        if not first or not second:
            return [*found, ("a first name is missing", 0.0)]
        if first == second:
            whole = len(first) > 1
            return [*found, (f"the {'first names' if whole else 'initials'} are the same", FIRST if whole else INITIAL)]
        if first[0] != second[0]:
            return [*found, ("the initials are different", ANOTHER_INITIAL)]
        if min(len(first), len(second)) == 1:
            return [*found, ("one is the initial of the other", INITIAL)]
        return [*found, ("the first names are different", ANOTHER)]

    def weight(self, one: Node, other: Node) -> float:
        """Return the sum of the bits; 0 for nodes that no key would bring together."""
        return sum(bits for _, bits in self.reasons(one, other)) if self.comparable(one, other) else 0.0

    def comparable(self, one: Node, other: Node) -> bool:
        """Return whether both are persons with the same last name."""
        return one.kind == other.kind == "person" and one.fields["last"] == other.fields["last"] != ""

    def clusters(self, names: Sequence[str], weights: Weights) -> Iterable[Collection[str]]:
        """Join the two clusters with the largest sum of weights between them, while it is above 0."""
        place = {name: number for number, name in enumerate(names)}
        links = {(place[one], place[other]): weight for (one, other), weight in weights.items()}
        labels = agglomerate(len(names), links).labels
        order = sorted(range(len(names)), key=lambda number: (labels[number], number))
        return [[names[number] for number in group] for _, group in groupby(order, key=lambda number: labels[number])]

    def _parts(self, text: str) -> tuple[str, str]:
        """Return first name (or initial, or nothing) and last name, in small letters and without stops."""
        words = text[:LONGEST].lower().replace(".", "").split()
        return (words[0] if len(words) > 1 else "", words[-1] if words else "")
