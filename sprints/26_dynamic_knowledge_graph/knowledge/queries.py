"""Questions to a graph, compiled to SQL: paths, what two have in common, how many there are, and which have the most.

    path = Path("person:Ava", (("works_at", True), ("located_in", True)), day=7, known=3)
    ask(store, path)  # the towns of the shops where Ava worked on day 7, as known after three arrivals

The names and relations of a question are bound to the ? of a statement; they are never a part of its text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.sql_reading import SqlReading, at

Step = tuple[str, bool | None]  # a relation; True: from subject to object, False: back, None: either way
ENDS = {True: [("subject", "object")], False: [("object", "subject")]}
ENDS[None] = ENDS[True] + ENDS[False]


@dataclass(frozen=True)
class Path:
    """All entities at which a walk from an entity can end.

    Args:
        start: an entity, by the name of any of its nodes.
        steps: relations and directions.
        day: a day on which each fact of the walk holds (valid time); None: each at any time.
        known: after how many arrivals each fact was known (transaction time); None: now.

    Raises:
        ValueError: there are no steps.
    """

    start: str
    steps: tuple[Step, ...]
    day: int | None = None
    known: int | None = None

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError(f"a path has at least one step; that from {self.start!r} has none")


@dataclass(frozen=True)
class Both:
    """All entities at which both questions end.

    Raises:
        ValueError: they are asked as of different times: the number of an entity then may be that of another one now.
    """

    one: "Query"
    other: "Query"

    def __post_init__(self) -> None:
        if self.one.known != self.other.known:
            raise ValueError(
                f"two questions meet in what was known at one time; got {self.one.known} and {self.other.known}"
            )

    @property
    def known(self) -> int | None:
        return self.one.known


@dataclass(frozen=True)
class Most:
    """Of the entities of a question those from which one more step leads to the most others; all of them in a tie."""

    of: "Query"
    step: Step
    day: int | None = None

    @property
    def known(self) -> int | None:
        return self.of.known


Query = Path | Both | Most


def ask(store: SqlReading, query: Query) -> list[str]:
    """Return the names of all entities of a question, each once and sorted; an entity is called as in `facts`."""
    return [name for (name,) in store._rows(*_named(query))]


def how_many(store: SqlReading, query: Query) -> int:
    """Return the number of entities of a question."""
    tables = _Tables()
    reached = _reached(tables, query)
    return store._rows(f"{tables.sql()} SELECT COUNT(*) FROM {reached}", *tables.values)[0][0]


def show(query: Query) -> tuple[str, Sequence[Any]]:
    """Return the statement that `ask` runs, and the values of its ?."""
    sql, *values = _named(query)
    return sql, values


class _Tables:
    """The tables of a WITH, each made of those before it: a column `entity`, without repetitions."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[Any] = []

    def add(self, sql: str, values: Sequence[Any] = (), columns: str = "entity") -> str:
        name = f"t{len(self.parts)}"
        self.parts.append(f"{name} ({columns}) AS ({sql})")
        self.values += values
        return name

    def sql(self) -> str:
        return "WITH " + ",\n     ".join(self.parts) + "\n"


def _named(query: Query) -> tuple[Any, ...]:
    tables = _Tables()
    reached = _reached(tables, query)
    sql = (
        f"{tables.sql()}SELECT MIN(n.name) FROM {reached} r JOIN members m ON m.entity = r.entity "
        f"JOIN nodes n ON n.id = m.node WHERE {at('m', query.known)} GROUP BY r.entity ORDER BY 1"
    )
    return sql, *tables.values


def _reached(tables: _Tables, query: Query) -> str:
    """Write a question, and return the name of the table of its entities."""
    if isinstance(query, Path):
        return _walked(tables, query)
    if isinstance(query, Both):
        one, other = _reached(tables, query.one), _reached(tables, query.other)
        return tables.add(f"SELECT entity FROM {one} INTERSECT SELECT entity FROM {other}")
    of = _reached(tables, query.of)
    pairs = tables.add(*_step(of, query.step, query.day, query.known, "r.entity, "), "entity, other")
    counts = tables.add(f"SELECT entity, COUNT(*) FROM {pairs} GROUP BY entity", columns="entity, number")
    return tables.add(f"SELECT entity FROM {counts} WHERE number = (SELECT MAX(number) FROM {counts})")


def _walked(tables: _Tables, path: Path) -> str:
    reached = tables.add(
        f"SELECT m.entity FROM nodes n JOIN members m ON m.node = n.id WHERE n.name = ? AND {at('m', path.known)}",
        [path.start],
    )
    for step in path.steps:
        reached = tables.add(*_step(reached, step, path.day, path.known))
    return reached


def _step(reached: str, step: Step, day: int | None, known: int | None, before: str = "") -> tuple[str, list[Any]]:
    """Return a table of where a step leads from one of entities, and its values: both times are asked of each fact."""
    relation, forward = step
    which, values = f"f.relation = ? AND {at('f', known)}", [relation, day, day][: 1 if day is None else 3]
    if day is not None:
        which += " AND f.since <= ? AND (f.until IS NULL OR f.until > ?)"
    ways = ENDS[forward]
    sql = " UNION ".join(  # which leaves no repetitions, as DISTINCT does for one way
        f"SELECT DISTINCT {before}f.{end} FROM {reached} r JOIN facts f ON f.{here} = r.entity WHERE {which}"
        for here, end in ways
    )
    return sql, values * len(ways)
