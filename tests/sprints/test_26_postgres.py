"""The store of sprint 26 on a real server: the same dump as SQLite's, kills, several consumers. Skipped without one."""

import itertools
import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

SPRINT = "26_dynamic_knowledge_graph"
FOLDERS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin")]

ENGLISH = ("--locale-provider=icu", "--icu-locale=en-US")  # a is before Z there, and in our stores Z before a


@pytest.fixture(scope="module")
def address():
    """Start a server of its own in a folder of its own, and return its address."""
    pytest.importorskip("psycopg", reason="psycopg is in the group databases")
    folder = next((one for one in FOLDERS if (one / "initdb").exists() and (one / "pg_ctl").exists()), None)
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine (Debian: postgresql-15)")
    root = os.geteuid() == 0
    user: dict[str, Any] = (
        {"user": "nobody", "group": "nogroup", "extra_groups": []} if root else {}
    )  # it refuses to run as root
    place = Path(tempfile.mkdtemp(prefix="pg26"))
    if root:
        shutil.chown(place, "nobody", "nogroup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={place} -c fsync=off"

    def call(program, *arguments):
        subprocess.run([folder / program, *arguments], check=True, capture_output=True, cwd=place, timeout=60, **user)

    call("initdb", "-D", place / "data", "-U", "tester", "--auth=trust", "--no-sync", "--encoding=UTF8", *ENGLISH)
    try:
        call("pg_ctl", "-D", place / "data", "-w", "-l", place / "log", "-o", options, "start")
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([folder / "pg_ctl", "-D", place / "data", "-m", "immediate", "stop"], cwd=place, check=False,
                       capture_output=True, **user)  # fmt: skip
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def parts(load_sprint):
    names = ("store", "sqlite_store", "postgres_store", "consumer_group", "whole", "hearsay", "queries")
    return SimpleNamespace(**{name: load_sprint(f"{SPRINT}/knowledge/{name}.py") for name in names})


def new_store(parts, address, schema):
    world = parts.hearsay
    return parts.postgres_store.PostgresStore(address, schema, world.Prefixes(), world.SOURCES, world.SINGLE)


def drawn(parts, number, seed=0):
    return parts.hearsay.hearsay(number, torch.Generator().manual_seed(seed))


def whole(parts, arrivals):
    return parts.whole.known(arrivals, parts.hearsay.Prefixes(), parts.hearsay.SOURCES, parts.hearsay.SINGLE)


def test_postgres_holds_what_sqlite_holds_with_both_times(parts, address):
    arrivals, world = drawn(parts, 120), parts.hearsay
    odd = [
        world.said("odd1", "Ü'; DROP TABLE facts; --", "likes", "Søn", 1),
        world.said("odd2", "ava\x00", "likes", "x", 1),
    ]
    odd += [world.said("odd3", "Zed", "likes", "Sun", 1), world.said("odd4", "ava", "likes", "Sun", 1)]
    odd += [parts.store.Decision("d", "person:ava", "person:Zed", True, 9)]
    with (
        new_store(parts, address, "same") as server,
        parts.sqlite_store.SqliteStore(None, world.Prefixes(), world.SOURCES, world.SINGLE) as file,
    ):
        for store in (server, file):
            store.add(arrivals[:50])
            store.add(arrivals[50:] + odd)
        assert server.dump() == file.dump()
        assert server.dump(times=False) == file.dump(times=False)
        assert server.dump(times=False, known=60) == whole(parts, arrivals[:60])
        assert server.why("person:ava") == file.why("person:ava")
        assert [fact.subject for fact in server.facts(object="shop:Søn")] == ["person:Ü'; DROP TABLE facts; --"]


def test_questions_in_sql_are_answered_as_by_sqlite(parts, address):
    world, queries, answers = parts.hearsay, parts.queries, 0
    like, back, either = ("likes", True), ("likes", False), ("works_at", None)
    with (
        new_store(parts, address, "asked") as server,
        parts.sqlite_store.SqliteStore(None, world.Prefixes(), world.SOURCES, world.SINGLE) as file,
    ):
        for store in (server, file):
            store.add(drawn(parts, 80))
        for start, known, day in itertools.product(("person:ava", "person:b", "shop:Sun"), (None, 40), (None, 3)):
            for steps in ((like,), (like, back), (either, like), (back, either, back)):
                path = queries.Path(start, steps, day, known)
                both = queries.Both(path, queries.Path("person:bo", (like, back), known=known))
                for query in (path, both, queries.Most(path, either, day)):
                    assert queries.ask(server, query) == queries.ask(file, query)
                    assert queries.how_many(server, query) == len(queries.ask(file, query))
                    answers += queries.how_many(file, query)
    assert answers > 50


def take_and_die(parts, address, arrivals, last):
    """Take arrivals in the process that is killed before its last statement."""
    with new_store(parts, address, "killed") as store:
        run, count = store._run, iter(range(1, last + 1))

        def mortal(sql, *values):
            if next(count) == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return run(sql, *values)

        store._run = mortal
        while (start := store.offset()) < len(arrivals):
            store.add(arrivals[start : start + 10], start=start)


def test_a_killed_client_leaves_whole_transactions(parts, address):
    arrivals, rng = drawn(parts, 60), random.Random(0)
    with new_store(parts, address, "calm") as store:
        for start in range(0, 60, 10):
            store.add(arrivals[start : start + 10])
        expected = store.dump()
    for _ in range(5):
        process = multiprocessing.get_context("fork").Process(
            target=take_and_die, args=(parts, address, arrivals, rng.randint(2, 400))
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    with new_store(parts, address, "killed") as store:
        while (start := store.offset()) < len(arrivals):
            store.add(arrivals[start : start + 10], start=start)
        assert store.dump() == expected


def consume(parts, address, arrivals, dies):
    with new_store(parts, address, "group") as store:
        turns = 0

        def read(content):
            if dies and turns == 2 and json.loads(content) % 5 == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return arrivals[json.loads(content)]

        while parts.consumer_group.take_turn(store, read, batch=7):
            turns += 1


def test_consumers_share_the_streams_though_one_is_killed(parts, address):
    arrivals = drawn(parts, 80, seed=1)
    with new_store(parts, address, "group") as store:
        for stream in range(4):
            parts.consumer_group.publish(store, f"s{stream}", map(json.dumps, range(stream, 80, 4)))
        fork = multiprocessing.get_context("fork")
        processes = [fork.Process(target=consume, args=(parts, address, arrivals, dies)) for dies in (True, False)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] in ([-signal.SIGKILL, 0], [0, 0])
        while parts.consumer_group.take_turn(store, lambda content: arrivals[json.loads(content)]):
            pass
        assert store.tick == 80
        assert [store.offset(f"s{stream}") for stream in range(4)] == [20] * 4
        assert store.dump(times=False) == whole(parts, arrivals)


def test_a_stream_in_hand_is_skipped(parts, address):
    arrivals = drawn(parts, 2)
    with new_store(parts, address, "turns") as first, new_store(parts, address, "turns") as second:
        parts.consumer_group.publish(first, "a", ["0"])
        parts.consumer_group.publish(first, "b", ["1"])
        seen = []

        def read(content):
            seen.append(content)
            if content == "0":  # while the first has stream a in hand
                assert parts.consumer_group.take_turn(second, read) == 1
                assert parts.consumer_group.take_turn(second, read) == 0
            return arrivals[int(content)]

        assert parts.consumer_group.take_turn(first, read) == 1
        assert seen == ["0", "1"]


def test_errors_say_what_is_missing(parts):
    pytest.importorskip("psycopg", reason="psycopg is in the group databases")
    with pytest.raises(ValueError, match=r"no PostgreSQL answers at postgresql://nobody@127\.0\.0\.1:1/none"):
        parts.postgres_store.PostgresStore("postgresql://nobody@127.0.0.1:1/none")
