"""Is what was known then what the first arrivals say? And does their order matter? At 1,000 times, in 100 orders.

    uv run sprints/26_dynamic_knowledge_graph/as_of.py
    uv run sprints/26_dynamic_knowledge_graph/as_of.py --arrivals 200 --times 200 --orders 20

The store is asked what it knew at a time, and compared with what a program without tables works out from the arrivals
until then. Beside it: the last writer wins, and its last words in each order. Theory: notes/09_two_kinds_of_time.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tqdm import tqdm

from knowledge import whole
from knowledge.hearsay import SINGLE, SOURCES, Prefixes, hearsay
from knowledge.sqlite_store import SqliteStore
from knowledge.store import Arrival, Reading
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    arrivals: PositiveInt = 400  # claims, takings back and decisions
    times: PositiveInt = 1000  # at which the store is asked what it knew, drawn with replacement
    orders: PositiveInt = 100  # shuffled, with half of the arrivals twice


@dataclass(frozen=True)
class Results:
    facts: int  # that were ever known
    times: int
    equal_times: int
    orders: int
    equal_orders: int
    equal_last_writer: int  # orders in which the last writer says what it said in the first order


def last_writer(arrivals: Sequence[Arrival]) -> dict[tuple[str, str], tuple[str, bool]]:
    """Wrong: for each subject and relation what was said last, whatever its day and whoever takes it back."""
    said = [claim for one in arrivals if isinstance(one, Reading) for claim in one.claims]
    return {(claim.subject.text, claim.relation): (claim.object.text, claim.holds) for claim in said}


def new_store(arrivals: Sequence[Arrival]) -> SqliteStore:
    store = SqliteStore(None, Prefixes(), SOURCES, SINGLE)
    store.add(arrivals)
    return store


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    arrivals = hearsay(config.arrivals, generator)
    with new_store(arrivals) as store:
        facts = len(store.dump()["facts"])
        ticks = torch.randint(len(arrivals) + 1, (config.times,), generator=generator).tolist()
        equal_times = 0
        for tick in tqdm(ticks, unit="time"):
            now = whole.known(arrivals[:tick], Prefixes(), SOURCES, SINGLE)
            equal_times += store.dump(times=False, known=tick) == now
        expected, last = store.dump(times=False), last_writer(arrivals)
    equal_orders = equal_last = 0
    for _ in tqdm(range(config.orders), unit="order"):
        some = torch.randint(len(arrivals), (len(arrivals) // 2,), generator=generator).tolist()
        all_of_them = arrivals + [arrivals[place] for place in some]
        order = torch.randperm(len(all_of_them), generator=generator).tolist()
        shuffled = [all_of_them[place] for place in order]
        with new_store(shuffled) as store:
            equal_orders += store.dump(times=False) == expected
        equal_last += last_writer(shuffled) == last
    print(f"{facts} facts were known at some time; as of {config.times} times: {equal_times} equal")
    print(f"in {config.orders} orders: {equal_orders} equal; by the last writer {equal_last}")
    return Results(facts, config.times, equal_times, config.orders, equal_orders, equal_last)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})
