"""What a store in SQL answers. `known` everywhere is a tick: what was known after so many arrivals."""

from abc import abstractmethod
from collections import defaultdict
from contextlib import AbstractContextManager
from typing import Any

from knowledge.kinds import Fact, Record
from knowledge.sql_base import SqlBase


def at(table: str, known: int | None) -> str:
    """Return the condition that a row was known; a whole number cannot hold SQL."""
    if known is None:
        return f"{table}.known_until IS NULL"
    tick = int(known)
    return f"{table}.known_from <= {tick} AND ({table}.known_until IS NULL OR {table}.known_until > {tick})"


class SqlReading(SqlBase):
    """The questions."""

    @abstractmethod
    def _snapshot(self) -> AbstractContextManager[None]:
        """Let all statements within see one state of the database."""

    def facts(
        self,
        subject: str | None = None,
        relation: str | None = None,
        object: str | None = None,
        day: int | None = None,
        known: int | None = None,
    ) -> list[Fact]:
        called = (
            "(SELECT MIN(n.name) FROM members m JOIN nodes n ON n.id = m.node "
            f"WHERE m.entity = f.{{}} AND {at('m', known)})"
        )
        which, values = [at("f", known)], []
        for column, value in (("subject", subject), ("object", object)):
            if value is not None:
                which.append(
                    f"f.{column} IN (SELECT m.entity FROM nodes n JOIN members m ON m.node = n.id "
                    f"WHERE n.name = ? AND {at('m', known)})"
                )
                values.append(value)
        if relation is not None:
            which.append("f.relation = ?")
            values.append(relation)
        if day is not None:
            which.append("f.since <= ? AND (f.until IS NULL OR f.until > ?)")
            values += [day, day]
        rows = self._rows(
            f"SELECT f.id, {called.format('subject')}, f.relation, {called.format('object')}, f.since, f.until, "
            f"s.record FROM facts f JOIN says s ON s.fact = f.id AND {at('s', known)} WHERE {' AND '.join(which)}",
            *values,
        )
        records: dict[tuple, list[str]] = defaultdict(list)
        for *fact, record in rows:
            records[tuple(fact)].append(record)
        found = [Fact(*fact[1:], tuple(sorted(keys))) for fact, keys in records.items()]
        return sorted(found, key=lambda fact: (fact.subject, fact.relation, fact.object, fact.since))

    def entities(self, known: int | None = None) -> dict[str, tuple[str, ...]]:
        rows = self._rows(
            f"SELECT m.entity, n.name FROM members m JOIN nodes n ON n.id = m.node WHERE {at('m', known)}"
        )
        names: dict[int, list[str]] = defaultdict(list)
        for entity, name in rows:
            names[entity].append(name)
        return dict(sorted((min(of_one), tuple(sorted(of_one))) for of_one in names.values()))

    def why(self, name: str) -> list[tuple[str, str, float]]:
        return sorted(
            self._rows(
                "SELECT one.name, two.name, l.weight FROM nodes mine JOIN nodes one ON one.entity = mine.entity "
                "JOIN links l ON l.one = one.id JOIN nodes two ON two.id = l.other AND two.entity = mine.entity "
                "WHERE mine.name = ? AND one.name < two.name",
                name,
            )
        )

    def record(self, key: str) -> Record | None:
        found = self._rows("SELECT key, source, day, text, retracts FROM records WHERE key = ?", key)
        return Record(*found[0]) if found else None

    def aside(self) -> list[tuple[int, str, str]]:
        return self._rows("SELECT tick, reason, content FROM aside ORDER BY tick")

    def known_at(self, seconds: float) -> int:
        """Return the tick that was reached at a time of the clock; a clock that was set back does not undo it."""
        return self._rows("SELECT COALESCE(MAX(tick), 0) FROM clocks WHERE seconds <= ?", seconds)[0][0]

    def dump(self, times: bool = True, known: int | None = None) -> dict[str, Any]:
        with self._snapshot():
            if not times:
                facts = [
                    [one.subject, one.relation, one.object, one.since, one.until, list(one.records)]
                    for one in self.facts(known=known)
                ]
                return {"facts": facts, "entities": [list(names) for names in self.entities(known).values()]}
            tables = {
                "records": "SELECT key, source, day, text, retracts, tick FROM records",
                "aside": "SELECT tick, reason, content FROM aside",
                "decisions": "SELECT key, one, other, same, day, tick FROM decisions",
                "state": "SELECT name, value FROM state",
                "nodes": "SELECT id, name, kind, fields, entity, mentions FROM nodes",
                "links": "SELECT one, other, weight FROM links",
                "entities": "SELECT node, entity, known_from, known_until FROM members",
                "claims": "SELECT * FROM claims",
                "facts": "SELECT id, subject, relation, object, since, until, known_from, known_until FROM facts",
                "provenance": "SELECT fact, record, known_from, known_until FROM says",
            }
            return {name: sorted(map(list, self._rows(sql)), key=repr) for name, sql in tables.items()}
