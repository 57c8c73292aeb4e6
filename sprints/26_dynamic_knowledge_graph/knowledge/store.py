"""What every store of this sprint can do, and what goes into one. `sqlite_store.py` is the one to begin with.

    with SqliteStore(path, linker=ByName(), sources={"herald": 0.9}, single={"works_at"}) as store:
        store.add([Reading(record, claims), ...])  # all of it in one transaction, or nothing
        store.facts(relation="works_at", day=12, known=store.tick)

What a store holds is decided by the set of records that have arrived, not by their order, nor by how often one came.
Only what was known *when* depends on the order.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from knowledge.kinds import Claim, Fact, Mention, Record

Weights = Mapping[tuple[str, str], float]  # of pairs of nodes, by name, the smaller name first; > 0: one entity
Clustering = Callable[[Sequence[str], Weights], Iterable[Collection[str]]]


@dataclass(frozen=True)
class Reading:
    """A record that arrives, and what was read in it."""

    record: Record
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Somebody says that two nodes are one entity, or are not: this counts in place of the weight of evidence.

    Of several decisions on a pair the one of the latest day counts, and on one day the one that keeps them apart.
    """

    key: str
    one: str  # names of nodes
    other: str
    same: bool
    day: int


@dataclass(frozen=True)
class Malformed:
    """What arrived and cannot be used, and why: it is counted and kept aside."""

    content: str
    reason: str


Arrival = Reading | Decision | Malformed


@dataclass(frozen=True)
class Node:
    """What is compared and joined: a mention, or all mentions of one description.

    Args:
        name: equal names are one node.
        kind: person, dish, shop, ...
        fields: what is known of it and is compared.
        keys: for blocking; nodes that have a key in common are compared. Without any it is compared with none.
    """

    name: str
    kind: str
    fields: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


class Linker(Protocol):
    """How mentions become nodes, and which nodes are one entity. All of it depends on its arguments alone."""

    def node(self, record: Record, mention: Mention) -> Node:
        """Return the node of a mention."""
        ...

    def weight(self, one: Node, other: Node) -> float:
        """Return the weight of evidence: above 0 for one entity, below 0 against it, 0 for none. Symmetric."""
        ...

    def clusters(self, names: Sequence[str], weights: Weights) -> Iterable[Collection[str]]:
        """Cut nodes that are connected by weights above 0 into entities; `names` are sorted."""
        ...


class ByName:
    """Mentions of the same kind and the same letters are one entity; nothing else is."""

    def node(self, record: Record, mention: Mention) -> Node:  # noqa: ARG002
        return Node(f"{mention.kind}:{mention.text}", mention.kind)

    def weight(self, one: Node, other: Node) -> float:  # noqa: ARG002
        return 0.0

    def clusters(self, names: Sequence[str], weights: Weights) -> Iterable[Collection[str]]:  # noqa: ARG002
        """All that is connected is one entity: only decisions connect here."""
        return [names]


class Store(Protocol):
    """Facts with their sources, entities, and what was known when.

    Valid time is days, which the records speak of. Transaction time is `tick`: how many arrivals the store has taken.
    """

    @property
    def tick(self) -> int:
        """How many arrivals of all streams are in the store: the last transaction time there is."""
        ...

    def add(self, arrivals: Sequence[Arrival], stream: str = "news", start: int | None = None) -> int:
        """Take arrivals in one transaction, with the offset of their stream; return how many were new.

        Args:
            arrivals: in the order of their arrival.
            stream: the name of where they come from.
            start: the place of the first of them in its stream; what the store has already is passed over. Default:
                they follow on what it has.

        Raises:
            ValueError: there would be a gap.
        """
        ...

    def offset(self, stream: str = "news") -> int:
        """Return how many arrivals of a stream are in the store."""
        ...

    def facts(
        self,
        subject: str | None = None,
        relation: str | None = None,
        object: str | None = None,
        day: int | None = None,
        known: int | None = None,
    ) -> list[Fact]:
        """Return facts, sorted.

        Args:
            subject: an entity, by the name of any of its nodes.
            relation: its name.
            object: an entity, as `subject`.
            day: only what holds on this day (valid time); None: of all days.
            known: what was known after so many arrivals (transaction time); None: now.
        """
        ...

    def entities(self, known: int | None = None) -> dict[str, tuple[str, ...]]:
        """Return for each entity the names of its nodes, sorted; an entity is called by the first of them."""
        ...

    def why(self, name: str) -> list[tuple[str, str, float]]:
        """Return the pairs of nodes of an entity that were compared, and their weights; it goes by any of its nodes."""
        ...

    def record(self, key: str) -> Record | None:
        """Return a record, also one that was taken back; None if there is none."""
        ...

    def aside(self) -> list[tuple[int, str, str]]:
        """Return what is kept aside: the tick at which it came, the reason, and the content."""
        ...

    def dump(self, times: bool = True, known: int | None = None) -> dict[str, Any]:
        """Return all that is known in a canonical form: two stores hold the same if their dumps are equal.

        Args:
            times: with transaction times, so all that was ever known; otherwise only what is known at one of them.
            known: at which; None: now.
        """
        ...

    def close(self) -> None:
        """Close the file or the connection."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
