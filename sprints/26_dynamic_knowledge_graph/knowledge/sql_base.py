"""What the parts of a store in SQL have in common: a connection."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("schema.sql")


class SqlBase(ABC):
    """A connection to a database with the tables of `schema.sql`."""

    _arrival: int  # the tick of the arrival that is being taken

    @abstractmethod
    def _run(self, sql: str, *values: Any) -> Any:
        """Run one statement, with a ? for each value; return the cursor."""

    def _rows(self, sql: str, *values: Any) -> list[tuple]:
        return self._run(sql, *values).fetchall()

    def _state(self, name: str) -> int:
        found = self._rows("SELECT value FROM state WHERE name = ?", name)
        return found[0][0] if found else 0

    def _next(self, table: str) -> int:
        """Return the next number of a table whose rows are never deleted."""
        return self._rows(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}")[0][0]

    @property
    def tick(self) -> int:
        """How many arrivals of all streams are in the store."""
        return self._state("tick")

    def offset(self, stream: str = "news") -> int:
        return self._state(f"offset of {stream}")


def statements() -> list[str]:
    """Return the statements of the schema."""
    lines = [line.partition("--")[0] for line in SCHEMA.read_text(encoding="utf-8").splitlines()]
    return [one for one in "\n".join(lines).split(";") if one.strip()]
