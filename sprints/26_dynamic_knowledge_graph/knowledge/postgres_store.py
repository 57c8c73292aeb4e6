"""The store on a server, by PostgreSQL: for several processes, on several machines, that write to it at once."""

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, LiteralString, Self, cast

from knowledge.sql_base import statements
from knowledge.sql_store import SqlStore
from knowledge.store import Linker

WRITING = 26  # the number of the lock that a writer holds until its transaction ends


class PostgresStore(SqlStore):
    """A store in a schema of a database.

    One transaction writes at a time: each arrival gets the next tick, and entities are compared with all that is there.
    Readers do not wait. `psycopg` is installed with `uv sync --group databases`.

    Args:
        address: of the database, as `postgresql://name@127.0.0.1:5432/postgres`.
        schema: a name for the tables of this store within the database; made if it is not there.
        linker, sources, single, clock: as in `SqlStore`.

    Raises:
        ValueError: there is no `psycopg`, or no server answers there.
    """

    def __init__(
        self,
        address: str,
        schema: str = "knowledge",
        linker: Linker | None = None,
        sources: Mapping[str, float] | None = None,
        single: Iterable[str] | Mapping[str, int] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            import psycopg  # imported late: only this store needs it
            from psycopg import sql
        except ImportError as error:
            raise ValueError("this store needs psycopg: run `uv sync --group databases`") from error
        try:
            self.connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise ValueError(f"no PostgreSQL answers at {address}: {str(error).strip()}") from error
        with self._transaction():
            self.connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            self.connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
            for statement in statements():
                # Letters are compared by their numbers, as SQLite does, and not by the rules of a language.
                self._run(statement.replace(" TEXT", ' TEXT COLLATE "C"'))
        super().__init__(linker, sources, single, clock)

    def _run(self, sql: str, *values: Any) -> Any:
        return self.connection.execute(_with_percent(sql), values)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self.connection.transaction():
            self._run("SELECT pg_advisory_xact_lock(?)", WRITING)
            yield

    @contextmanager
    def _snapshot(self) -> Generator[None]:
        with self.connection.transaction():
            self._run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@cache
def _with_percent(sql: str) -> LiteralString:
    """Return a statement with psycopg's mark for a value in place of SQLite's; they hold neither of them otherwise."""
    return cast(LiteralString, sql.replace("?", "%s"))
