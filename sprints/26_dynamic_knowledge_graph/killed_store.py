"""Killed between any two statements, twenty times: does the store hold what it would hold if nobody had killed it?

    uv run sprints/26_dynamic_knowledge_graph/killed_store.py
    uv run sprints/26_dynamic_knowledge_graph/killed_store.py --kills 5 --arrivals 300

A process takes arrivals into a store and is killed before a random statement, or in the middle of one. Another goes on
where the store says. In the end all that was ever known is compared with an undisturbed run. And a short run is killed
before each statement: with the offset in the store, and in a file of its own. Theory: notes/10_nothing_is_lost.md
"""

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from knowledge import whole
from knowledge.hearsay import SINGLE, SOURCES, Prefixes, hearsay
from knowledge.sqlite_store import SqliteStore
from knowledge.store import Arrival
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

WAYS = ("with the data", "data first", "offset first")  # where the offset is kept, and when it is written


@dataclass(frozen=True)
class Config(ScriptConfig):
    arrivals: PositiveInt = 1000  # arrivals of the stream
    batch: PositiveInt = 10  # arrivals of a transaction
    kills: PositiveInt = 20  # times that the process is killed
    few: PositiveInt = 4  # arrivals of the short run, in two transactions, that is killed at each of its statements


@dataclass(frozen=True)
class Moments:
    moments: int  # at which a short run was killed, one after another
    twice: int  # of them, after which arrivals came twice
    lost: int  # after which arrivals never came


@dataclass(frozen=True)
class Results:
    arrivals: int
    statements: int  # of an undisturbed run
    kills: int  # before a statement, or within one
    within: int  # of them within a statement
    equal: bool  # to the undisturbed run, in all that was ever known
    each_moment: dict[str, Moments]  # by where the offset is kept


class Mortal(SqliteStore):
    """A store that kills its process before a statement, or within it: it counts them."""

    statements, last, within = 0, None, False
    synchronous = "OFF"  # the disk is not waited for: what a process has written outlives it

    def _run(self, sql: str, *values: Any) -> Any:
        self.statements += 1
        if self.statements == self.last:
            if self.within:  # after a few steps of SQLite's virtual machine
                self.connection.set_progress_handler(lambda: os.kill(os.getpid(), signal.SIGKILL), 3)
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super()._run(sql, *values)


def take(path: Path, arrivals: Sequence[Arrival], batch: int, last: int | None = None, within: bool = False) -> int:
    """Take what the store does not have, and return how many statements it took; the process that is killed."""
    with Mortal(path, Prefixes(), SOURCES, SINGLE) as store:
        store.statements, store.last, store.within = 0, last, within
        while (start := store.offset()) < len(arrivals):
            store.add(arrivals[start : start + batch], start=start)
        return store.statements


def take_apart(
    path: Path, arrivals: Sequence[Arrival], batch: int, last: int | None = None, within: bool = False, *, way: str
) -> int:
    """The same work with the offset in a file of its own, which is written before the data or after them."""
    place = path.with_suffix(".offset")
    with Mortal(path, Prefixes(), SOURCES, SINGLE) as store:
        store.statements, store.last, store.within = 0, last, within
        while (start := int(place.read_text(encoding="utf-8")) if place.exists() else 0) < len(arrivals):
            for step in ("data", "offset") if way == "data first" else ("offset", "data"):
                store._run("SELECT 1")  # a moment between the two
                if step == "data":
                    store.add(arrivals[start : start + batch])
                else:
                    place.write_text(str(start + batch), encoding="utf-8")
        store._run("SELECT 1")
        return store.statements


def every_moment(work: Callable[..., int], folder: Path, arrivals: Sequence[Arrival], batch: int) -> Moments:
    """Kill the work before each of its statements, once each, and go on; count where arrivals came twice or never."""
    fork, right = multiprocessing.get_context("fork"), whole.known(arrivals, Prefixes(), SOURCES, SINGLE)
    moments = work(folder / "calm", arrivals, batch)
    twice = lost = 0
    for moment in tqdm(range(1, moments + 1), unit="moment"):
        path = folder / f"killed at {moment}"
        process = fork.Process(target=work, args=(path, arrivals, batch, moment))
        process.start()
        process.join()
        work(path, arrivals, batch)
        with SqliteStore(path, Prefixes(), SOURCES, SINGLE) as store:
            twice += store.tick > len(arrivals)
            lost += store.tick < len(arrivals) or store.dump(times=False) != right
    return Moments(moments, twice, lost)


def killed_at_random(path: Path, config: Config, arrivals: list[Arrival], moments: list[int]) -> list[int]:
    """Do the work in processes that are killed at these statements, and then undisturbed; return who was killed."""
    fork, found = multiprocessing.get_context("fork"), []
    for number, moment in enumerate(tqdm([*moments, None], unit="process")):
        process = fork.Process(target=take, args=(path, arrivals, config.batch, moment, number % 2 == 1))
        process.start()
        process.join()
        found += [number] if process.exitcode == -signal.SIGKILL else []
    return found


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    arrivals = hearsay(config.arrivals, generator)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        statements = take(folder / "calm", arrivals, config.batch)
        most = max(2, 2 * statements // (config.kills + 1))
        moments = (1 + torch.randint(most, (config.kills,), generator=generator)).tolist()
        dead = killed_at_random(folder / "killed", config, arrivals, moments)
        dumps = []
        for path in ("calm", "killed"):
            with SqliteStore(folder / path, Prefixes(), SOURCES, SINGLE) as store:
                dumps.append(store.dump())
        few, each = arrivals[: config.few], {}
        for way in WAYS:
            (folder / way).mkdir()
            work = take if way == WAYS[0] else partial(take_apart, way=way)
            each[way] = every_moment(work, folder / way, few, config.few // 2)
    within = sum(number % 2 for number in dead)
    print(
        f"{statements} statements; killed {len(dead)} times, {within} of them within one: equal {dumps[0] == dumps[1]}"
    )
    for way, found in each.items():
        print(f"{way:<17}{found.moments} moments; arrivals twice after {found.twice}, lost after {found.lost}")
    return Results(len(arrivals), statements, len(dead), within, dumps[0] == dumps[1], each)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "kills": TIMING, "within": TIMING})
