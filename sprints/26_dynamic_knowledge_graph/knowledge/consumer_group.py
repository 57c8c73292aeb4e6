"""Several processes share the work of several streams, on PostgreSQL: each stream is in the hands of one at a time."""

from collections.abc import Callable, Iterable

from knowledge.postgres_store import PostgresStore
from knowledge.store import Arrival

TABLES = (
    "CREATE TABLE IF NOT EXISTS streams (stream TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS inbox (stream TEXT, place BIGINT, content TEXT, PRIMARY KEY (stream, place))",
)


def publish(store: PostgresStore, stream: str, contents: Iterable[str]) -> int:
    """Put contents at the end of a stream; return how many it has then.

    Whoever publishes a stream must be alone in it: here it is the store's writing lock that sees to it.
    """
    with store._transaction():
        for table in TABLES:
            store._run(table)
        store._run("INSERT INTO streams VALUES (?) ON CONFLICT DO NOTHING", stream)
        place = store._rows("SELECT COUNT(*) FROM inbox WHERE stream = ?", stream)[0][0]
        for content in contents:
            store._run("INSERT INTO inbox VALUES (?, ?, ?)", stream, place, content)
            place += 1
    return place


def take_turn(store: PostgresStore, read: Callable[[str], Arrival], batch: int = 100) -> int:
    """Take the next contents of a stream that nobody has in hand; return how many, 0 if nothing is left to take.

    The row of the stream is locked until the transaction ends, also if the process is killed: then the server notices
    the broken connection and takes everything back. Streams whose row is locked are skipped, not waited for. Reading,
    which takes most of the time, is done by as many processes as there are streams; only writing is one at a time.
    """
    with store.connection.transaction():
        mine = store._rows(
            "SELECT stream FROM streams s WHERE EXISTS (SELECT 1 FROM inbox i WHERE i.stream = s.stream AND i.place >= "
            "COALESCE((SELECT value FROM state WHERE name = 'offset of ' || s.stream), 0)) "
            "ORDER BY stream LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
        if not mine:
            return 0
        stream = mine[0][0]
        start = store.offset(stream)  # after the lock: who had it before has committed
        rows = store._rows(
            "SELECT content FROM inbox WHERE stream = ? AND place >= ? ORDER BY place LIMIT ?", stream, start, batch
        )
        return store.add([read(content) for (content,) in rows], stream, start)
