"""The facts of a store as a graph in `ladybug`, which is asked in Cypher: a second place, and how it keeps up.

The store is the truth. The graph holds, in one transaction with its edges, the tick up to which it goes. So it can be
killed at any moment, fall behind, or be deleted: `follow` brings it up to date.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from knowledge.sql_store import SqlStore

TABLES = (
    "CREATE NODE TABLE IF NOT EXISTS Entity (number INT64, name STRING, PRIMARY KEY (number))",
    "CREATE REL TABLE IF NOT EXISTS Fact "
    "(FROM Entity TO Entity, number INT64, relation STRING, since INT64, until INT64)",
    "CREATE NODE TABLE IF NOT EXISTS Tick (name STRING, value INT64, PRIMARY KEY (name))",
)
BETWEEN = "(:Entity {number: $subject})-[fact:Fact {number: $fact}]->(:Entity {number: $object})"


class LadybugGraph:
    """What is known now, as nodes and edges; an entity is called as the first of its nodes that arrived.

    Args:
        path: of the file, which is made if it is not there. `ladybug` is installed with `uv sync --group databases`.

    Raises:
        ValueError: there is no `ladybug`.
    """

    def __init__(self, path: Path) -> None:
        try:
            import ladybug  # imported late: only this graph needs it
        except ImportError as error:
            raise ValueError("this graph needs ladybug: run `uv sync --group databases`") from error
        self.database = ladybug.Database(str(path))
        self.connection = ladybug.Connection(self.database)
        for table in TABLES:
            self.connection.execute(table)

    def ask(self, cypher: str, **values: Any) -> list[list[Any]]:
        """Return the rows of a question in Cypher, with a $name for each value."""
        found: Any = self.connection.execute(cypher, values)
        return found.get_all()

    @property
    def tick(self) -> int:
        """Up to which arrival of the store the graph goes."""
        found = self.ask("MATCH (tick:Tick {name: 'store'}) RETURN tick.value")
        return found[0][0] if found else 0

    def follow(self, store: SqlStore) -> int:
        """Take over what has become known, or is no longer known, since the last time; return how many facts."""
        with store._snapshot():
            now, before = store.tick, self.tick
            changed = store._rows(
                "SELECT f.id, f.subject, f.object, f.relation, f.since, f.until, f.known_until, s.name, o.name "
                "FROM facts f JOIN nodes s ON s.id = f.subject JOIN nodes o ON o.id = f.object "
                "WHERE f.known_from > ? OR f.known_until > ? ORDER BY f.id",
                before, before,
            )  # fmt: skip
        self.ask("BEGIN TRANSACTION")
        try:
            for fact, subject, object, relation, since, until, known_until, *names in changed:
                place = {"fact": fact, "subject": subject, "object": object}
                if known_until is not None:
                    self.ask(f"MATCH {BETWEEN} DELETE fact", **place)
                    continue
                for number, name in zip((subject, object), names, strict=True):
                    self.ask("MERGE (one:Entity {number: $number}) SET one.name = $name", number=number, name=name)
                self.ask(
                    "MATCH (a:Entity {number: $subject}), (b:Entity {number: $object}) CREATE (a)-[:Fact "
                    "{number: $fact, relation: $relation, since: $since, until: $until}]->(b)",
                    relation=relation, since=since, until=until, **place,
                )  # fmt: skip
            self.ask("MERGE (tick:Tick {name: 'store'}) SET tick.value = $now", now=now)
        except BaseException:
            self.ask("ROLLBACK")
            raise
        self.ask("COMMIT")
        return len(changed)

    def walk(self, start: str, relations: Sequence[str], day: int) -> list[str]:
        """Return the names that a walk from an entity along these relations ends at, on a day, each once and sorted.

        It asks hop by hop: patterns of several hops are answered wrongly by ladybug 0.22.0, which a test shows.

        Raises:
            ValueError: there are no relations.
        """
        if not relations:
            raise ValueError("a walk has at least one relation; got none")
        found = [start]
        for relation in relations:
            rows = self.ask(
                "MATCH (a:Entity)-[f:Fact]->(b:Entity) WHERE a.name IN $found AND f.relation = $relation "
                "AND f.since <= $day AND (f.until IS NULL OR f.until > $day) RETURN DISTINCT b.name",
                found=found, relation=relation, day=day,
            )  # fmt: skip
            if not rows:
                return []
            found = sorted(name for (name,) in rows)
        return found

    def close(self) -> None:
        self.connection.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
