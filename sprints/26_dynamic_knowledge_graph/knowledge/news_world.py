"""The small world of the kitchen news: persons, shops, dishes and towns, and what happens to them day by day."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from knowledge.kinds import Fact
from knowledge.news_grammar import Person, Words, by_rank, read_grammar

A_DAY = 5  # so many things happen on each
SINGLE = ("works_at", "lives_in", "located_in")  # relations with one object at a time


@dataclass(frozen=True)
class Happening:
    """Something begins (`holds`) or ends on a day; chatter has no relation."""

    number: int
    day: int
    relation: str
    subject: str = ""
    object: str = ""
    holds: bool = True
    old_name: str = ""  # of a shop that is now called otherwise


class World:
    """What is so now. What happens next depends on the generator alone.

    Args:
        words: what names are made of.
        persons: how many.
        shops: how many.
        rng: draws the names and all that happens.
    """

    def __init__(self, words: Words, persons: int, shops: int, rng: Random) -> None:
        self.words, self.rng = words, rng
        firsts = rng.choices(words.first, by_rank(len(words.first)), k=persons)
        lasts = rng.choices(words.last, by_rank(len(words.last)), k=persons)
        self.people = {
            f"person:{number}": Person(*first, last)
            for number, (first, last) in enumerate(zip(firsts, lasts, strict=True))
        }
        free = [f"{first} {last}" for first in words.shop_first for last in words.shop_last]
        if shops > len(free):
            raise ValueError(f"there are names for {len(free)} shops; got {shops}")
        rng.shuffle(free)
        self.shops = {f"shop:{number}": [free.pop()] for number in range(shops)}
        self._free = free
        self.kinds = {
            "person": list(self.people), "last": list(self.people), "shop": list(self.shops),
            "dish": [f"dish:{name}" for name in words.dishes], "town": [f"town:{name}" for name in words.town],
        }  # fmt: skip
        self.single: dict[str, dict[str, str]] = {"works_at": {}, "lives_in": {}, "located_in": {}, "married_to": {}}
        self.cooks: dict[str, list[str]] = {}

    def happenings(self, size: int) -> Iterator[Happening]:
        """Let so many things happen, and yield each of them when it has."""
        sentences = read_grammar()[1].sentences
        shares: dict[tuple[str, bool], float] = {}
        for pattern in sentences:
            kind = (pattern.relation, pattern.holds)
            shares[kind] = shares.get(kind, 0.0) + pattern.share
        for number in range(size):
            relation, holds = self.rng.choices(list(shares), list(shares.values()))[0]
            yield getattr(self, f"_{relation or 'chatter'}")(Happening(number, number // A_DAY, relation, holds=holds))

    def any(self, kind: str, rng: Random, *but: str) -> str:
        """Draw one of a kind, but not one of these; all are equally frequent."""
        while (chosen := rng.choice(self.kinds[kind])) in but:
            pass
        return chosen

    def name(self, entity: str) -> str:
        """Return how an entity is called now; persons in full."""
        if person := self.people.get(entity):
            return f"{person.first} {person.last}"
        return self.shops[entity][-1] if entity in self.shops else entity.partition(":")[2]

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return how each entity is and was called."""
        shops = {shop: tuple(names) for shop, names in self.shops.items()}
        entities = [entity for kind in ("person", "dish", "town") for entity in self.kinds[kind]]
        return {entity: (self.name(entity),) for entity in entities} | shops

    def home(self, person: str) -> tuple[str, str]:
        """Return name and entity of the town of a person, as far as something has been heard of it."""
        town = self.single["lives_in"].get(person, "")
        return (self.name(town) if town else "", town)

    def mistaken(self, happening: Happening, rng: Random) -> Happening:
        """Return what a wrong report says: the same with another object."""
        kind = happening.object.partition(":")[0]
        return replace(happening, object=self.any(kind, rng, happening.subject, happening.object))

    def _chatter(self, happening: Happening) -> Happening:
        return happening

    def _changed(self, happening: Happening, kinds: tuple[str, str]) -> Happening:
        """A relation with one object at a time gets another object, or ends."""
        now = self.single[happening.relation]
        if not happening.holds and now:
            subject = self.rng.choice(sorted(now))
            return replace(happening, subject=subject, object=now.pop(subject))
        subject = self.any(kinds[0], self.rng)
        now[subject] = self.any(kinds[1], self.rng, now.get(subject, ""))
        return replace(happening, subject=subject, object=now[subject], holds=True)

    def _works_at(self, happening: Happening) -> Happening:
        return self._changed(happening, ("person", "shop"))

    def _lives_in(self, happening: Happening) -> Happening:
        return self._changed(happening, ("person", "town"))

    def _located_in(self, happening: Happening) -> Happening:
        return self._changed(happening, ("shop", "town"))

    def _cooks(self, happening: Happening) -> Happening:
        if not happening.holds and self.cooks:
            subject = self.rng.choice(sorted(self.cooks))
            dish = self.rng.choice(self.cooks[subject])
        else:
            subject = self.any("person", self.rng)
            known = self.cooks.setdefault(subject, [])
            happening = replace(happening, holds=len(known) < len(self.kinds["dish"]) // 2)
            dish = self.any("dish", self.rng, *known) if happening.holds else self.rng.choice(known)
        known = self.cooks[subject]
        known.append(dish) if happening.holds else known.remove(dish)
        if not known:
            del self.cooks[subject]
        return replace(happening, subject=subject, object=dish)

    def _married_to(self, happening: Happening) -> Happening:
        spouse = self.single["married_to"]
        alone = [person for person in self.people if person not in spouse]
        if len(alone) < 2 or (not happening.holds and spouse):
            subject = self.rng.choice(sorted(spouse))
            other = spouse.pop(subject)
            del spouse[other]
            return replace(happening, subject=subject, object=other, holds=False)
        subject, other = self.rng.sample(alone, 2)
        spouse |= {subject: other, other: subject}
        return replace(happening, subject=subject, object=other, holds=True)

    def _is_now(self, happening: Happening) -> Happening:
        """A shop gets a name that none has had; when there is none left, it moves instead."""
        if not self._free:
            return self._located_in(replace(happening, relation="located_in"))
        shop = self.any("shop", self.rng)
        old = self.name(shop)
        self.shops[shop].append(self._free.pop())
        return replace(happening, subject=shop, object=shop, old_name=old)


def happened(happenings: Sequence[Happening], sayers: Mapping[int, Collection[str]]) -> list[Fact]:
    """Return the facts that follow from what happened, sorted; who is married to whom stands once, in one order.

    Args:
        happenings: in order.
        sayers: keys of records, by the number of what they report.
    """
    begun: dict[tuple[str, str, str], Happening] = {}
    only: dict[tuple[str, str], tuple[str, str, str]] = {}  # what holds now of relations with one object at a time
    facts = []

    def fact(key: tuple[str, str, str], until: int | None) -> Fact:
        first = begun[key]
        return Fact(*key, first.day, until, tuple(sorted(sayers.get(first.number, ()))))

    for one in happenings:
        if one.relation in ("", "is_now"):
            continue
        subject, object = (
            sorted((one.subject, one.object)) if one.relation == "married_to" else (one.subject, one.object)
        )
        key = (subject, one.relation, object)
        ended = only.pop(key[:2], None) if one.relation in SINGLE else key
        if ended in begun:
            facts.append(fact(ended, one.day))
            del begun[ended]
        if one.holds:
            begun[key] = one
        if one.holds and one.relation in SINGLE:
            only[key[:2]] = key
    facts = [one for one in facts if one.since != one.until]  # what begins and ends on one day never held
    return sorted(facts + [fact(key, None) for key in begun], key=lambda one: (one.subject, one.relation, one.since))
