"""A count that survives whatever happens to its process."""

import sqlite3

TABLES = (
    "CREATE TABLE counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL)",
    "CREATE TABLE offsets (stream TEXT PRIMARY KEY, next INTEGER NOT NULL)",
)


def take(connection: sqlite3.Connection, stream: str, start: int, names: list[str]) -> int:
    """Count names, each arrival of a stream once, though it may be sent again; return how many of these were new."""
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("SELECT next FROM offsets WHERE stream = ?", (stream,)).fetchone()
    have = found[0] if found else 0
    new = names[max(0, have - start) :]
    for name in new:
        connection.execute(
            "INSERT INTO counts VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET number = number + 1", (name,)
        )
    connection.execute(
        "INSERT INTO offsets VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET next = excluded.next",
        (stream, max(have, start + len(names))),
    )
    connection.execute("COMMIT")
    return len(new)
