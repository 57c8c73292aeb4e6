"""How many facts a second does the store take, in how much memory, and how soon can an arrival be asked for?

    uv run sprints/26_dynamic_knowledge_graph/stream.py
    SPRINTS_DATA=... uv run sprints/26_dynamic_knowledge_graph/stream.py --preset debian

First the whole stream as fast as it goes. Then its beginning at a fixed rate: an arrival waits until the transaction
before it is done, and is answerable at the end of its own. Theory: notes/11_a_stream_of_news.md
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from knowledge.arriving import batches, crowd, debian_stream, messages, read_line
from knowledge.sqlite_store import SqliteStore
from knowledge.store import Arrival, Reading
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    source: Literal["crowd", "debian", "messages"] = "crowd"  # where the stream comes from
    arrivals: PositiveInt = 40_000  # of the crowd
    people: PositiveInt = 5000  # names in the crowd
    batch: PositiveInt = 200  # arrivals of a transaction, at most
    rate: PositiveInt = 2000  # facts a second in the second run
    seconds: PositiveFloat = 10.0  # that the second run lasts


@dataclass(frozen=True)
class Results:
    arrivals: int
    claims: int
    facts: int  # that are known at the end
    aside: int  # arrivals that cannot be used
    claims_per_second: float
    statements_per_claim: float
    commits: float  # share of the time that is spent in COMMIT, which writes to the disk
    megabytes: list[float]  # of the process, after each twentieth of the stream
    megabytes_of_file: float
    minutes: float
    latency_milliseconds: dict[str, float]  # from arrival to answerable, at a fixed rate


def arrivals_of(config: Config) -> Iterator[Arrival]:
    if config.source == "crowd":
        generator = torch.Generator().manual_seed(config.seed)
        return (read_line(line) for line in crowd(config.arrivals, config.people, generator))
    return debian_stream() if config.source == "debian" else messages()


def claims_of(arrival: Arrival) -> int:
    return len(arrival.claims) if isinstance(arrival, Reading) else 0


class Watched(SqliteStore):
    """A store that counts its statements, and the seconds of its commits."""

    statements, seconds = 0, 0.0

    def _run(self, sql: str, *values: Any) -> Any:
        self.statements += 1
        if sql != "COMMIT":
            return super()._run(sql, *values)
        start = time.perf_counter()
        found = super()._run(sql)
        self.seconds += time.perf_counter() - start
        return found


def as_fast_as_it_goes(path: Path, config: Config) -> dict[str, Any]:
    """Take the whole stream; return counts, speed and memory."""
    counts, memory, process = Counter(), [], psutil.Process()
    start = time.perf_counter()
    with Watched(path) as store:
        for batch in tqdm(batches(arrivals_of(config), config.batch), unit="transaction"):
            store.add(batch)
            counts["arrivals"] += len(batch)
            counts["claims"] += sum(map(claims_of, batch))
            memory.append(process.memory_info().rss / 2**20)
        seconds = time.perf_counter() - start
        watched = {"statements_per_claim": store.statements / counts["claims"], "commits": store.seconds / seconds}
        facts = store._rows("SELECT COUNT(*) FROM facts WHERE known_until IS NULL")[0][0]
        aside = store._rows("SELECT COUNT(*) FROM aside")[0][0]
    places = np.linspace(len(memory) / 20, len(memory), 20).astype(int) - 1
    return {
        **counts, **watched, "facts": facts, "aside": aside, "claims_per_second": counts["claims"] / seconds,
        "megabytes": [memory[max(0, place)] for place in places], "minutes": seconds / 60,
        "megabytes_of_file": sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*")) / 2**20,
    }  # fmt: skip


def at_a_rate(path: Path, config: Config) -> dict[str, float]:
    """Take arrivals when they are due; return quantiles of the time until they are answerable, in milliseconds."""
    due, plan, total = [], [], 0
    for arrival in arrivals_of(config):
        if total >= config.rate * config.seconds:
            break
        due.append(total / config.rate)
        plan.append(arrival)
        total += max(1, claims_of(arrival))
    waited, taken, start = np.zeros(len(plan)), 0, time.perf_counter()
    with SqliteStore(path) as store:
        while taken < len(plan):
            now = time.perf_counter() - start
            if due[taken] > now:
                time.sleep(due[taken] - now)
                continue
            waiting = int(np.searchsorted(due, now, side="right"))
            until = min(waiting, taken + config.batch)
            store.add(plan[taken:until])
            waited[taken:until] = time.perf_counter() - start - np.array(due[taken:until])
            taken = until
    return {f"p{share}": float(np.percentile(waited, share)) * 1000 for share in (50, 95, 99)}


def main(config: Config) -> Results:
    with tempfile.TemporaryDirectory() as folder:
        found = as_fast_as_it_goes(Path(folder) / "fast", config)
        latency = at_a_rate(Path(folder) / "rate", config)
    results = Results(**found, latency_milliseconds=latency)
    print(f"{results.arrivals:,} arrivals, {results.aside:,} aside; {results.claims:,} claims, {results.facts:,} facts")
    print(f"{results.claims_per_second:,.0f} claims a second, {results.minutes:.2f} minutes; ", end="")
    print(f"{results.megabytes[4]:.0f} MB after a quarter, {results.megabytes[-1]:.0f} MB at the end")
    print(f"at {config.rate:,} facts a second: {latency} ms")
    return results


def plot(results: Results) -> Figure:
    """Draw the memory of the process over the stream."""
    figure, axes = new_figure(6.5, 3.2)
    axes.plot(np.linspace(5, 100, 20), results.megabytes, marker="o", label="process")
    axes.axhline(results.megabytes_of_file, color="#777777", linestyle="--")
    axes.text(2, results.megabytes_of_file, "file at the end", va="bottom", color="#777777")
    axes.set(xlabel="share of the stream (%)", ylabel="memory of the process (MB)", ylim=(0, None), xlim=(0, 101))
    return figure


PRESETS = {"debian": {"source": "debian"}, "messages": {"source": "messages"}}

if __name__ == "__main__":
    run(
        main,
        Config,
        plot=plot,
        presets=PRESETS,
        tolerance={"*": TIMING, "arrivals": EXACT, "claims": EXACT, "facts": EXACT},
    )
