"""The store in one file, by SQLite: the engine is a part of Python, and its file survives a process that is killed."""

import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from knowledge.sql_base import statements
from knowledge.sql_store import SqlStore
from knowledge.store import Linker


class SqliteStore(SqlStore):
    """A store in a file.

    It is kept with a write-ahead log (WAL): readers see the last transaction that is complete, and do not wait. What
    was committed survives the death of the process; if the power fails, the last transactions may be lost, all or none
    of each, and the offset with them, so that their stream is read again from there.

    Args:
        path: of the file, which is made if it is not there; None: in memory.
        linker, sources, single, clock: as in `SqlStore`.

    Raises:
        ValueError: the file is not a store.
    """

    synchronous = "NORMAL"  # FULL waits for the disk at each commit

    def __init__(
        self,
        path: Path | None = None,
        linker: Linker | None = None,
        sources: Mapping[str, float] | None = None,
        single: Iterable[str] | Mapping[str, int] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        try:
            self.connection = sqlite3.connect(":memory:" if path is None else path, timeout=60, isolation_level=None)
            self._run(f"PRAGMA synchronous = {self.synchronous}")
            self._run("PRAGMA journal_mode = WAL")
            if not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'says'"):
                with self._transaction():
                    for statement in statements():
                        self._run(statement)
            super().__init__(linker, sources, single, clock)
        except sqlite3.DatabaseError as error:
            raise ValueError(
                f"{path} is not the file of a store ({error}): give another one, or move it away"
            ) from error

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self.connection.execute(sql, values)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    @contextmanager
    def _snapshot(self) -> Generator[None]:
        if self.connection.in_transaction:
            yield
            return
        self._run("BEGIN")
        try:
            yield
        finally:
            self._run("COMMIT")

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
