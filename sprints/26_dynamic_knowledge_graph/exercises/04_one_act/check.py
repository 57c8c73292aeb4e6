"""Checks of a count: plain, sent again, two streams, a gap, and killed before each statement."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from shared.lab.checking import expect

NAMES = ["ava", "bo", "ava", "cy", "bo", "ava"]


class Killed(BaseException):
    """The process is dead: no `except Exception` hears of it."""


class Mortal:
    """A connection whose process dies before its n-th statement; afterwards it does nothing any more."""

    def __init__(self, connection: sqlite3.Connection, last: int | None = None) -> None:
        self.connection, self.last, self.count = connection, last, 0

    def execute(self, sql: str, values: tuple = ()) -> Any:
        self.count += 1
        if self.last is not None and self.count >= self.last:
            raise Killed
        return self.connection.execute(sql, values)


@contextlib.contextmanager
def database(learner: Any) -> Generator[Path]:
    """Yield the path of a database with the tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counts"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            for table in learner.TABLES:
                connection.execute(table)
        yield path


def send(learner: Any, path: Path, sendings: list, last: int | None = None) -> list:
    """Send parts of streams, and return how many were new in each; the connection is left as by a dead process."""
    new: list = []
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        mortal = Mortal(connection, last)
        for stream, start, names in sendings:
            try:
                new.append(learner.take(mortal, stream, start, list(names)))
            except Killed:
                new.append("killed")
                break
            except ValueError:
                new.append("ValueError")
    return new


def counts(path: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, number FROM counts ORDER BY name"))


def counted(learner: Any) -> Any:
    """Return a function that sends parts of streams to an empty database."""

    def new_and_counts(sendings: list) -> tuple[list, dict[str, int]]:
        with database(learner) as path:
            new = send(learner, path, sendings)
            return new, counts(path)

    return new_and_counts


def check_two_batches(learner: Any) -> None:
    """Six names in two batches."""
    expected = ([4, 2], {"ava": 3, "bo": 2, "cy": 1})
    only_last = ([4, 2], {"ava": 1, "bo": 1, "cy": 1})
    expect(counted(learner), {"sendings": [("a", 0, NAMES[:4]), ("a", 4, NAMES[4:])]}, expected, {
        "A name that is known is not counted up.": only_last,
    })  # fmt: skip


def check_sent_again(learner: Any) -> None:
    """The second sending begins with what is known, the third holds nothing else, and a fourth goes on."""
    sendings = [("a", 0, NAMES[:3]), ("a", 1, NAMES[1:5]), ("a", 0, NAMES[:2]), ("a", 5, NAMES[5:])]
    expected = ([3, 2, 0, 1], {"ava": 3, "bo": 2, "cy": 1})
    expect(counted(learner), {"sendings": sendings}, expected, {
        "What is sent again is counted again: pass over what the offset says is known.": (
            [3, 4, 2, 1], {"ava": 5, "bo": 4, "cy": 1},
        ),
        "The offset went back: after a sending that held nothing new it must stay.": (
            [3, 2, 0, "ValueError"], {"ava": 2, "bo": 2, "cy": 1},
        ),
    })  # fmt: skip


def check_two_streams(learner: Any) -> None:
    """Each stream has an offset of its own."""
    expected = ([2, 3], {"ava": 3, "bo": 2})
    one_offset = ([2, 1], {"ava": 2, "bo": 1})
    expect(counted(learner), {"sendings": [("a", 0, NAMES[:2]), ("b", 0, ["ava", "bo", "ava"])]}, expected, {
        "The offset of one stream is taken for that of another.": one_offset,
    })  # fmt: skip


def check_a_gap_is_refused(learner: Any) -> None:
    """Arrival 2 is missing; then it comes after all."""
    sendings = [("a", 0, NAMES[:2]), ("a", 3, NAMES[3:]), ("a", 2, NAMES[2:])]
    expect(counted(learner), {"sendings": sendings}, ([2, "ValueError", 4], {"ava": 3, "bo": 2, "cy": 1}), {
        "Arrivals that are missing are not noticed: raise a ValueError.": ([2, 3, 1], {"ava": 2, "bo": 2, "cy": 1}),
    })  # fmt: skip


def check_killed_before_each_statement(learner: Any) -> None:
    """Killed before the n-th statement of the second batch, for each n; then all is sent again."""
    for last in range(1, 12):

        def killed_and_sent_again(sendings: list, last: int) -> dict[str, int]:
            with database(learner) as path:
                send(learner, path, sendings[:1])
                send(learner, path, sendings[1:], last)
                send(learner, path, sendings)
                return counts(path)

        sendings = [("a", 0, NAMES[:4]), ("a", 4, NAMES[4:])]
        known: dict[str, dict[str, int]] = {
            "Both names of the killed batch are counted twice: the offset must be in the transaction of the counts.": {
                "ava": 4, "bo": 3, "cy": 1,
            },
            "The name before the kill is counted twice: each name has a transaction of its own.": {
                "ava": 3, "bo": 3, "cy": 1,
            },
            "Arrivals are lost: the offset was written before the counts, in a transaction of its own.": {
                "ava": 2, "bo": 1, "cy": 1,
            },
        }  # fmt: skip
        expect(killed_and_sent_again, {"sendings": sendings, "last": last}, {"ava": 3, "bo": 2, "cy": 1}, known)
