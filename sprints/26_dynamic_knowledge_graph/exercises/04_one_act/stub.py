"""A count that survives whatever happens to its process.

Fill in `take`. It counts names from a stream in a database, and its process may be killed before any statement. After
that the stream is sent again. Then look how far you are:

    uv run sprints check 26.4
    uv run sprints hint 26.4

Theory: notes/10_nothing_is_lost.md
"""

import sqlite3

TABLES = (
    "CREATE TABLE counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL)",
    "CREATE TABLE offsets (stream TEXT PRIMARY KEY, next INTEGER NOT NULL)",
)


def take(connection: sqlite3.Connection, stream: str, start: int, names: list[str]) -> int:
    """Count names, each arrival of a stream once, though it may be sent again; return how many of these were new.

    Args:
        connection: to a database with the tables above; it begins no transaction by itself. Call nothing but
            `connection.execute`.
        stream: the name of the stream.
        start: the place in the stream of the first of the names; the first arrival of a stream has place 0.
        names: what arrives, in order.

    Raises:
        ValueError: between what was counted and the first of the names arrivals are missing; nothing is changed.
    """
    raise NotImplementedError
