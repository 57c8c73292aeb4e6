"""Kitchen news that never end, with the truth beside them: who works where, cooks what, lives where, and who says so.

    news = News(seed=0, size=1000)
    for piece in news.stream():  # in order of arrival; what is in memory does not grow with `size`
        piece.record, piece.mentions, piece.entities, piece.claims
    news.truth.facts

Things happen in a small world. One to three sources report each of them, on its day or later; a source of reliability r
names a wrong object with probability 1 - r. Half of the wrong reports are taken back, and one in a hundred of the
others. One record in twenty comes a second time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from random import Random

from knowledge.kinds import Claim, Fact, Mention, Record
from knowledge.news_grammar import Part, Pattern, Words, draw, read_grammar, write, write_person
from knowledge.news_world import Happening, World, happened

SOURCES = {"herald": 0.95, "gossip": 0.8, "rumour": 0.65}  # how often each is right
REPORTS = (1, 1, 2, 3)  # how many sources report something: one of these
ON_ITS_DAY, NEXT_DAY = 0.6, 0.3  # arrives on its day; otherwise each further day with this probability
TAKEN_BACK = {False: 0.5, True: 0.01}  # by whether it is right
TWICE = 0.05


@dataclass(frozen=True)
class Piece:
    """What arrives, and the truth about it."""

    record: Record
    mentions: tuple[Mention, ...] = ()  # all of them, in order; also those that claim nothing
    entities: tuple[str, ...] = ()  # of each mention
    claims: tuple[Claim, ...] = ()  # one or none
    happening: int = -1  # which one it reports
    right: bool = True


@dataclass(frozen=True)
class Truth:
    """What a reader should find out."""

    entities: dict[str, tuple[str, ...]]  # names of each, the later ones behind
    facts: tuple[Fact, ...]  # of valid time; the records are those that say so, and are not taken back
    mentions: dict[tuple[str, int], str]  # key of a record and start of a mention -> entity
    claims: dict[str, tuple[Claim, ...]]  # key of a record -> what it says


class News:
    """News about a small world.

    Args:
        seed: the same seed gives the same news.
        size: how many things happen; there are about 1.9 arrivals for each.
        persons: of the world; first and last names come from lists, so some share both.
        shops: of the world.
        words: what names are made of; default: all of `news.toml`.
        sources: how often each is right; there are at least three.

    Raises:
        ValueError: a world too small to marry or to change a shop in.
    """

    def __init__(
        self,
        seed: int,
        size: int,
        persons: int = 200,
        shops: int = 40,
        words: Words | None = None,
        sources: Mapping[str, float] = SOURCES,
    ) -> None:
        if min(persons, shops) < 4 or size < 1:
            raise ValueError(f"news need a happening, 4 persons and 4 shops; got {size}, {persons} and {shops}")
        self.seed, self.size, self.persons, self.shops = seed, size, persons, shops
        self.words, self.sources = words or read_grammar()[0], sources

    def world(self) -> World:
        """Return the world as it begins."""
        return World(self.words, self.persons, self.shops, Random(f"world {self.seed}"))

    def stream(self) -> Iterator[Piece]:
        """Yield news in order of arrival."""
        waiting: list[tuple[int, int, Piece]] = []
        world, rng, count = self.world(), Random(f"reports {self.seed}"), 0
        for happening in world.happenings(self.size):
            while waiting and waiting[0][0] < happening.day:
                yield heappop(waiting)[2]
            for arrival, piece in self._reports(happening, world, rng):
                heappush(waiting, (arrival, count, piece))
                count += 1
        while waiting:
            yield heappop(waiting)[2]

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """All that arrives, in order."""
        return tuple(self.stream())

    @property
    def records(self) -> list[Record]:
        """All records in order of arrival, those that come twice twice."""
        return [piece.record for piece in self.pieces]

    @cached_property
    def truth(self) -> Truth:
        """What a reader should find out from all of it."""
        retracted = {piece.record.retracts for piece in self.pieces}
        sayers: dict[int, set[str]] = defaultdict(set)
        mentions, claims = {}, {}
        for piece in self.pieces:
            key = piece.record.key
            claims[key] = piece.claims
            mentions |= {
                (key, mention.start): entity for mention, entity in zip(piece.mentions, piece.entities, strict=True)
            }
            if piece.right and piece.claims and key not in retracted:
                sayers[piece.happening].add(key)
        world = self.world()
        facts = happened(list(world.happenings(self.size)), sayers)
        return Truth(world.names(), tuple(facts), mentions, claims)

    def _reports(self, happening: Happening, world: World, rng: Random) -> Iterator[tuple[int, Piece]]:
        """Yield what is written about something that has just happened, each with the day of its arrival."""
        for number, source in enumerate(rng.sample(list(self.sources), rng.choice(REPORTS))):
            key, said = f"n{happening.number}.{number}", happening
            doubtful = happening.relation not in ("", "is_now")
            if doubtful and rng.random() > self.sources[source]:
                said = world.mistaken(happening, rng)
            piece = self._piece(key, source, said, world, rng, said == happening)
            yield happening.day + delay(rng), piece
            if rng.random() < TWICE:
                yield happening.day + delay(rng), piece
            if doubtful and rng.random() < TAKEN_BACK[piece.right]:
                day = happening.day + rng.randint(1, 4)
                back = Record(f"{key}x", source, day, "", retracts=key)
                yield day + delay(rng), Piece(back, happening=happening.number)

    def _piece(self, key: str, source: str, said: Happening, world: World, rng: Random, right: bool) -> Piece:
        pattern = draw(patterns_of(said.relation, said.holds), rng)

        def fill(slot: str) -> list[Part]:
            kind = pattern.kind(slot)
            chosen = {"s": said.subject, "o": said.object}.get(slot) or world.any(kind, rng)
            name = said.old_name if slot == "s" and said.old_name else world.name(chosen)
            if kind == "person":
                return write_person(world.people[chosen], chosen, world.home(chosen), rng)
            if kind == "last":
                return [(world.people[chosen].last, "person", chosen)]
            return [(name, kind, chosen)]

        sentence = write(pattern, fill, rng)
        ends = {role: mention for role, mention in zip(sentence.roles, sentence.mentions, strict=True) if role}
        claims = (Claim(key, ends["s"], said.relation, ends["o"], said.day, said.holds),) if said.relation else ()
        record = Record(key, source, said.day, sentence.text)
        return Piece(record, sentence.mentions, sentence.entities, claims, said.number, right)


def patterns_of(relation: str, holds: bool) -> Sequence[Pattern]:
    """Return the ways to say that a relation holds, or that it no longer does."""
    return [one for one in read_grammar()[1].sentences if (one.relation, one.holds) == (relation, holds)]


def delay(rng: Random) -> int:
    """Draw how many days a record is late: 0 with probability 0.6, otherwise 1 and a geometric number of more."""
    if rng.random() < ON_ITS_DAY:
        return 0
    days = 1
    while rng.random() < NEXT_DAY:
        days += 1
    return days
