"""What the page asks of the store: an entity as it was known, why its mentions are one, and decisions of a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.kinds import Fact, Record
from knowledge.spoken_names import SpokenNames
from knowledge.sqlite_store import SqliteStore
from knowledge.store import Decision

STREAM = "decisions of the page"


@dataclass(frozen=True)
class Compared:
    """Two names that were compared: reasons in bits, whether they are one entity, and whether somebody said so."""

    one: str
    other: str
    reasons: list[tuple[str, float]]
    same: bool
    decided: bool

    @property
    def bits(self) -> float:
        return sum(bits for _, bits in self.reasons)


@dataclass(frozen=True)
class Seen:
    """What is known of an entity: its name, all its names, facts with it, and the records that say them."""

    entity: str
    names: tuple[str, ...]
    facts: list[Fact]
    records: dict[str, Record]


class Desk:
    """A store in a file; each question opens it for itself, because a page asks from several threads.

    Args:
        path: of the file.
        sources: how often each source is right.
        single: relations with one object at a time.
    """

    def __init__(self, path: Path, sources: Mapping[str, float], single: tuple[str, ...]) -> None:
        self.path, self.sources, self.single, self.linker = path, sources, single, SpokenNames()

    def open(self) -> SqliteStore:
        """Open the store; whoever does closes it."""
        return SqliteStore(self.path, self.linker, self.sources, self.single)

    def spans(self) -> tuple[int, int, int]:
        """Return the first and the last day of any fact, and how many arrivals there were."""
        with self.open() as store:
            days = [day for fact in store.facts() for day in (fact.since, fact.until) if day is not None]
            return min(days, default=0), max(days, default=0), store.tick

    def entities(self) -> list[str]:
        """Return the names of all entities that are known now, persons first."""
        with self.open() as store:
            return sorted(store.entities(), key=lambda name: (not name.startswith("person:"), name))

    def see(self, name: str, day: int, known: int) -> Seen | None:
        """Return what was known after some arrivals of an entity, by any of its names, on a day; None: nothing was."""
        with self.open() as store:
            entity = next((one for one in store.entities(known).items() if name in one[1]), None)
            if entity is None:
                return None
            facts = store.facts(subject=name, day=day, known=known) + store.facts(object=name, day=day, known=known)
            keys = {key for fact in facts for key in fact.records}
            records = {key: record for key in sorted(keys) if (record := store.record(key)) is not None}
            return Seen(*entity, facts, records)

    def compared(self, name: str) -> list[Compared]:
        """Return what the names of an entity were compared with, as it is now, the strongest evidence first."""
        with self.open() as store:
            entity_of = {one: entity for entity, names in store.entities().items() for one in names}
            decided = {(one, other) for _, one, other, *_ in store.dump()["decisions"]}
        if name not in entity_of:
            return []
        mine = [one for one, entity in entity_of.items() if entity == entity_of[name]]
        found: dict[tuple[str, str], Compared] = {}
        for one in mine:
            for other in entity_of:
                pair = (min(one, other), max(one, other))
                nodes = [self.linker.named(part) for part in pair]
                if one != other and self.linker.comparable(*nodes):
                    same = entity_of[one] == entity_of[other]
                    found[pair] = Compared(*pair, self.linker.reasons(*nodes), same, pair in decided)
        return sorted(found.values(), key=lambda pair: (-pair.bits, pair.one, pair.other))

    def decide(self, one: str, other: str, same: bool) -> None:
        """Say that two names are one entity, or are not. It is one more arrival: what was known before stays known.

        Raises:
            ValueError: they are one name, or a name is not known.
        """
        with self.open() as store:
            known = {name for names in store.entities().values() for name in names}
            if one == other or not {one, other} <= known:
                raise ValueError(f"a decision needs two different names that are known; got {one!r} and {other!r}")
            number = store.offset(STREAM) + 1
            # Of several decisions on a pair the one of the latest day counts.
            store.add([Decision(f"page {number}", min(one, other), max(one, other), same, number)], STREAM)
