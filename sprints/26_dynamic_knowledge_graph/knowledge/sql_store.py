"""The store in SQL: how records are learned and forgotten. `sqlite_store.py` and `postgres_store.py` say where.

What an arrival touches is worked out again, and the difference is written: of a row only its last tick ever changes.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from knowledge.faults import fault
from knowledge.periods import Said, log_odds, periods
from knowledge.sql_entities import SqlEntities
from knowledge.sql_reading import SqlReading
from knowledge.store import Arrival, ByName, Decision, Linker, Malformed, Reading

RELIABILITY = 0.8  # of a source that nobody knows
Group = tuple[int, str, int | None]  # subject, relation, and object where several may hold at a time


class SqlStore(SqlEntities, SqlReading):
    """A store on any SQL database.

    Args:
        linker: makes nodes of mentions, and entities of nodes.
        sources: how reliable each source is: the probability that it tells the truth.
        single: relations of which a subject has one object at a time; a mapping says among how many (else 2).
        clock: seconds, at which a transaction ends.

    Raises:
        ValueError: a reliability is not above 0 and below 1.
    """

    def __init__(
        self,
        linker: Linker | None = None,
        sources: Mapping[str, float] | None = None,
        single: Iterable[str] | Mapping[str, int] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.linker = ByName() if linker is None else linker
        self.weights = {source: log_odds(reliability) for source, reliability in (sources or {}).items()}
        self.single = dict(single) if isinstance(single, Mapping) else dict.fromkeys(single, 2)
        self.clock = clock

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction for writing; commit it at the end, or take it back if there was an error."""

    def add(self, arrivals: Sequence[Arrival], stream: str = "news", start: int | None = None) -> int:
        with self._transaction():
            have, self._arrival = self.offset(stream), self._state("tick")  # another process may have written
            if start is not None and start > have:
                raise ValueError(f"the store has {have} arrivals of {stream!r}; from {start} on there would be a gap")
            new = arrivals[have - (have if start is None else start) :]
            for arrival in new:
                self._arrival += 1
                self._take(arrival)
            if new:
                self._set_state("tick", self._arrival)
                self._set_state(f"offset of {stream}", have + len(new))
                self._run("INSERT INTO clocks VALUES (?, ?)", self._arrival, self.clock())
        return len(new)

    def _set_state(self, name: str, value: int) -> None:
        self._run(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value
        )

    def _take(self, arrival: Arrival) -> None:
        """Take one arrival: learn it, pass over what is known, keep aside what cannot be used."""
        if isinstance(arrival, Malformed):
            self._keep_aside(arrival.reason, arrival.content)
        elif wrong := fault(arrival):
            self._keep_aside(wrong, repr(arrival))
        elif isinstance(arrival, Decision):
            self._decide(arrival)
        else:
            self._take_record(arrival)

    def _keep_aside(self, reason: str, content: str) -> None:
        plain = content.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()  # a database takes it
        self._run("INSERT INTO aside VALUES (?, ?, ?)", self._arrival, reason, plain[:10_000])

    def _decide(self, decision: Decision) -> None:
        one, other = sorted((decision.one, decision.other))
        new = self._run(
            "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            decision.key, one, other, int(decision.same), decision.day, self._arrival,
        ).rowcount  # fmt: skip
        if new:
            living = self._rows("SELECT id FROM nodes WHERE name IN (?, ?) AND mentions > 0 ORDER BY id", one, other)
            self._settle(self._cluster([node for (node,) in living]))

    def _take_record(self, reading: Reading) -> None:
        record = reading.record
        new = self._run(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            record.key, record.source, record.day, record.text, record.retracts, self._arrival,
        ).rowcount  # fmt: skip
        if not new:
            if self.record(record.key) != record:
                self._keep_aside(f"the key {record.key!r} is that of another record", repr(record))
            return
        if record.retracts:
            if self._retractions(record.retracts) == 1:
                self._forget(record.retracts)
        elif not self._retractions(record.key):
            self._learn(reading)

    def _retractions(self, key: str) -> int:
        return self._rows("SELECT COUNT(*) FROM records WHERE retracts = ? AND retracts <> ''", key)[0][0]

    def _learn(self, reading: Reading) -> None:
        record, born, rows = reading.record, [], []
        for number, claim in enumerate(reading.claims):
            nodes = []
            for mention in (claim.subject, claim.object):
                node, is_new = self._mention(self.linker.node(record, mention))
                nodes.append(node)
                born += [node] if is_new else []
            rows.append((number, nodes, claim))
        touched = self._cluster(born)
        for number, (subject, object), claim in rows:
            subject_entity, object_entity = self._entity(subject), self._entity(object)
            self._run(
                "INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                record.key, number, subject, claim.relation, object, subject_entity, object_entity, claim.day,
                int(claim.holds), claim.subject.start, claim.subject.end, claim.object.start, claim.object.end,
            )  # fmt: skip
            touched.add((subject_entity, claim.relation, object_entity))
        self._settle(touched)

    def _forget(self, key: str) -> None:
        """Take back what a record said, if it has arrived: its claims, and the nodes that only it mentioned."""
        said = self._rows(
            "SELECT subject, object, subject_entity, relation, object_entity FROM claims WHERE record = ?", key
        )
        touched = {(subject, relation, object) for _, _, subject, relation, object in said}
        self._run("DELETE FROM claims WHERE record = ?", key)
        left: list[int] = []
        for subject, object, *_ in said:
            left += self._no_mention(subject) + self._no_mention(object)
        self._settle(touched | self._cluster(left))

    def _settle(self, touched: set[tuple[int, str, int]]) -> None:
        """Work out the facts of groups again, and write what has become different."""
        groups: set[Group] = {
            (subject, relation, None if relation in self.single else object) for subject, relation, object in touched
        }
        for group in sorted(groups, key=lambda one: (one[0], one[1], one[2] or 0)):
            found = periods(self._said(group), self._weight, self.single.get(group[1], 2))
            now = {(one.object, one.since, one.until): one.records for one in found}
            for fact, *period in self._known(group):
                self._support(fact, now.pop(tuple(period), ()))
            for (object, since, until), keys in now.items():
                fact = self._next("facts")
                self._run(
                    "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                    fact, *group[:2], object, since, until, self._arrival,
                )  # fmt: skip
                for key in keys:
                    self._run("INSERT INTO says VALUES (?, ?, ?, NULL)", fact, key, self._arrival)

    def _said(self, group: Group) -> list[Said]:
        """Return the claims about a group."""
        subject, relation, object = group
        which, values = ("", ()) if object is None else (" AND object_entity = ?", (object,))
        rows = self._rows(
            "SELECT object_entity, c.day, holds, source, record FROM claims c JOIN records r ON r.key = c.record "
            f"WHERE subject_entity = ? AND relation = ?{which}",
            subject, relation, *values,
        )  # fmt: skip
        return [Said(thing, day, bool(holds), source, key) for thing, day, holds, source, key in rows]

    def _known(self, group: Group) -> list[tuple]:
        """Return the facts about a group that are known now: number, object, since, until."""
        subject, relation, object = group
        which, values = ("", ()) if object is None else ("AND object = ?", (object,))
        return self._rows(
            "SELECT id, object, since, until FROM facts "
            f"WHERE known_until IS NULL AND subject = ? AND relation = ? {which}",
            subject, relation, *values,
        )  # fmt: skip

    def _support(self, fact: int, keys: tuple[str, ...]) -> None:
        """Let a fact that was known rest on these records; with none it is no longer known."""
        before = {key for (key,) in self._rows("SELECT record FROM says WHERE fact = ? AND known_until IS NULL", fact)}
        for key in sorted(before - set(keys)):
            self._run(
                "UPDATE says SET known_until = ? WHERE fact = ? AND record = ? AND known_until IS NULL",
                self._arrival, fact, key,
            )  # fmt: skip
        for key in sorted(set(keys) - before):
            self._run("INSERT INTO says VALUES (?, ?, ?, NULL)", fact, key, self._arrival)
        if not keys:
            self._run("UPDATE facts SET known_until = ? WHERE id = ?", self._arrival, fact)

    def _weight(self, source: str) -> float:
        return self.weights.get(source, log_odds(RELIABILITY))
