"""Does the stream of a library go on exactly? Shuffled streams of datasets, stopped, saved and loaded, beside ours.

    uv run sprints/23_loader_memory/stream_library.py
    uv run sprints/23_loader_memory/stream_library.py --buffer 100 --stops 50 500

One process, the same numbers in the same number of files, buffers of the same size.
Theory: notes/08_a_stream_that_goes_on.md
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memory_study.streams import StreamLoader
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

if TYPE_CHECKING:  # datasets takes a second to import
    from datasets import IterableDataset

FILES = 4


@dataclass(frozen=True)
class Config(ScriptConfig):
    items: PositiveInt = 1000  # items of an epoch
    buffer: PositiveInt = 40  # items in the shuffle buffer
    stops: tuple[PositiveInt, ...] = (10, 250, 500, 900)  # items that are used when the run stops

    def check(self) -> None:
        if self.items < FILES or max(self.stops) >= self.items:
            raise ValueError(f"a run must stop before its {self.items} items are used; got --stops {self.stops}")


@dataclass(frozen=True)
class Resumed:
    used_twice: int
    never_used: int
    same_order: bool
    state_bytes: int


@dataclass(frozen=True)
class Results:
    stops: dict[str, dict[str, Resumed]]


def library_stream(config: Config) -> "IterableDataset":
    from datasets import Dataset

    data = Dataset.from_dict({"item": list(range(config.items))})
    return data.to_iterable_dataset(num_shards=FILES).shuffle(seed=config.seed, buffer_size=config.buffer)


def items_of(stream: "StreamLoader | IterableDataset") -> Iterator[int]:
    if isinstance(stream, StreamLoader):
        return (int(line) for batch in stream for line in batch)
    return (row["item"] for row in stream)


def count(used: list[int], rest: list[int], whole: list[int], state: dict[str, Any]) -> Resumed:
    """Return how often the items of an epoch were used before and after the stop together."""
    counts = Counter(used + rest)
    twice = sum(times > 1 for times in counts.values())
    return Resumed(twice, len(whole) - len(counts), used + rest == whole, len(json.dumps(state)))


def main(config: Config) -> Results:
    stops: dict[str, dict[str, Resumed]] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.txt" for number in range(FILES)]
        for number, path in enumerate(paths):
            path.write_text("".join(f"{item}\n" for item in range(number, config.items, FILES)))

        def our_stream() -> StreamLoader:  # one lane, so that there is one buffer, as in the library
            return StreamLoader(paths, batch_size=1, buffer=config.buffer, lanes=1, seed=config.seed)

        streams: dict[str, Callable[[], Any]] = {"ours": our_stream, "datasets": lambda: library_stream(config)}
        for stop in config.stops:
            found: dict[str, Resumed] = {}
            for name, new in streams.items():
                stream, later = new(), new()
                used = list(islice(items_of(stream), stop))
                state = stream.state_dict()
                later.load_state_dict(state)
                found[name] = count(used, list(items_of(later)), list(items_of(new())), state)
                print(f"stopped after {stop:>4}: {name:<9}{found[name]}")
            stops[str(stop)] = found
    return Results(stops)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})
