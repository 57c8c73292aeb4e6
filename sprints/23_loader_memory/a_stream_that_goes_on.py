"""Does a shuffled stream go on exactly under several workers? And what do the usual ways of resuming lose?

    uv run sprints/23_loader_memory/a_stream_that_goes_on.py
    uv run sprints/23_loader_memory/a_stream_that_goes_on.py --stop 100 --workers 1

Recipes stand in files, a line each. A run stops in mid-epoch and goes on in several ways; the lines of the epoch are
counted. Theory: notes/08_a_stream_that_goes_on.md
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from memory_study.streams import StreamLoader
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run
from shared.text.cookbook import Cookbook

State = dict[str, Any]
EXACTLY = "state of every lane, as of what was used"


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 2000  # lines in all files together
    files: PositiveInt = 10  # files they stand in
    lanes: PositiveInt = 4  # shares of the files
    workers: NonNegativeInt = 2  # worker processes
    batch_size: PositiveInt = 8  # recipes of a batch
    buffer: PositiveInt = 50  # recipes in the shuffle buffer of each lane
    stop: PositiveInt = 90  # batches that are used when the run stops

    def check(self) -> None:
        if self.workers and self.lanes % self.workers:
            raise ValueError(f"--workers must divide --lanes; got {self.workers} and {self.lanes}")
        if not self.lanes <= self.files <= self.recipes:
            raise ValueError("there must be at least as many --files as --lanes, and as many --recipes as --files")
        if self.stop * self.batch_size >= self.recipes:
            raise ValueError(f"the run must stop within its epoch; got --stop {self.stop}: give a smaller one")


@dataclass(frozen=True)
class Resumed:
    """Of the lines of the epoch: used twice or more, never used; read in vain; is every batch as if never stopped?"""

    used_twice: int
    never_used: int
    read_in_vain: int
    same_batches: bool


@dataclass(frozen=True)
class Results:
    ways: dict[str, Resumed]
    made_ahead: int  # batches that workers had made and nobody had used
    state_bytes: int
    other_workers: dict[str, bool]  # the same batches when another number of workers goes on?


def write_files(folder: Path, config: Config) -> list[Path]:
    """Write recipes into files, a line each; the files are not equally long."""
    recipes = [Cookbook().recipe("train", index).text.replace("\n", " / ") for index in range(config.recipes)]
    cuts = torch.randperm(config.recipes - 1, generator=torch.Generator().manual_seed(config.seed))[: config.files - 1]
    edges = [0, *(cuts + 1).sort().values.tolist(), config.recipes]
    paths = [folder / f"{number:02}.txt" for number in range(config.files)]
    for path, first, last in zip(paths, edges[:-1], edges[1:], strict=True):
        numbered = enumerate(recipes[first:last], first)
        path.write_text("".join(f"{number} {recipe}\n" for number, recipe in numbered), encoding="utf-8")
    return paths


def settled(made: torch.Tensor) -> list[int]:
    """Return how many batches the workers have made of each lane, when they make no more."""
    before = None
    while before != (now := made.tolist()):
        before = now
        time.sleep(0.3)
    return now


def ways_to_resume(new_loader: Callable[[], StreamLoader], state: State, made: Sequence[int]) -> dict[str, State]:
    """Return the states from which the usual ways go on; `made` are the batches that the workers have made."""
    fresh = new_loader()
    beginning, ahead = fresh.state_dict(), []
    for number, lane in enumerate(fresh.new_lanes()):
        list(islice(lane, made[number] * fresh.order["batch_size"]))
        ahead.append(lane.state_dict())
    lanes, first = state["lanes"], beginning["lanes"]

    def changed(name: str, values: Sequence[Any]) -> State:
        return state | {"lanes": [lane | {name: value} for lane, value in zip(lanes, values, strict=True)]}

    return {
        EXACTLY: state,
        "state of the workers": state | {"lanes": ahead},
        "positions without buffers": changed("buffer", [[]] * len(lanes)),
        "generators seeded again": changed("random", [lane["random"] for lane in first]),
        "whose turn it is forgotten": state | {"turn": 0},
        "state of worker 0 for its lanes alone": state
        | {"lanes": [lanes[n] if n % max(1, fresh.workers) == 0 else first[n] for n in range(len(lanes))]},
        "the epoch again": beginning,
        "read and throw away": beginning,
    }


def rest_of(loader: StreamLoader, state: State) -> list[list[str]]:
    loader.load_state_dict(json.loads(json.dumps(state)))  # as it comes out of a checkpoint
    return list(loader)


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder), config)

        def new_loader(workers: int = config.workers) -> StreamLoader:
            sizes = (config.batch_size, config.buffer, config.lanes)
            return StreamLoader(paths, *sizes, workers=workers, seed=config.seed)

        whole, loader = list(new_loader()), new_loader()
        batches = iter(loader)
        used = list(islice(batches, config.stop))
        state, made = loader.state_dict(), settled(loader.made)
        del batches  # its workers end here
        ways: dict[str, Resumed] = {}
        for way, start in tqdm(ways_to_resume(new_loader, state, made).items(), unit="way", leave=False):
            rest, in_vain = rest_of(new_loader(), start), 0
            if way == "read and throw away":
                in_vain = sum(map(len, rest[: config.stop]))
                rest = rest[config.stop :]
            counts = Counter(line for batch in used + rest for line in batch)
            twice = sum(count > 1 for count in counts.values())
            ways[way] = Resumed(twice, config.recipes - len(counts), in_vain, used + rest == whole)
        divisors = [count for count in range(config.lanes + 1) if count == 0 or config.lanes % count == 0]
        others = {str(count): used + rest_of(new_loader(count), state) == whole for count in divisors}
    for way, found in ways.items():
        same = "the same batches" if found.same_batches else "other batches"
        print(f"{way:<42}{found.used_twice:>5} used twice,{found.never_used:>5} never; {same}", end="")
        print(f"; {found.read_in_vain} read in vain" if found.read_in_vain else "")
    ahead, size = sum(made) - config.stop, len(json.dumps(state))
    print(f"{ahead} batches were made ahead; the state has {size:,} bytes; with other numbers of workers: {others}")
    return Results(ways, ahead, size, others)


def plot(results: Results) -> Figure:
    """Draw the lines that each way uses twice, to the right, and loses, to the left."""
    figure, axes = new_figure(8.0, 3.6)
    names = [name for name in results.ways if name != "read and throw away"]
    found = [results.ways[name] for name in names]
    most = max(max(way.used_twice, way.never_used) for way in found) or 1
    axes.barh(range(len(names)), [-way.never_used for way in found], color="C3", height=0.6)
    axes.barh(range(len(names)), [way.used_twice for way in found], color="C1", height=0.6)
    for row, way in enumerate(found):
        right = "the same batches" if way.same_batches else str(way.used_twice)
        if not (way.same_batches or way.used_twice or way.never_used):
            right = "none, but other batches"
        axes.annotate(right, (way.used_twice, row), xytext=(4, -4), textcoords="offset points")
        if way.never_used:
            axes.annotate(
                str(way.never_used), (-way.never_used, row), xytext=(-4, -4), textcoords="offset points", ha="right"
            )
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xlabel="lines never used  ←   → lines used twice",
        ylim=(len(names) - 0.5, -0.5),
        xlim=(-1.25 * most, 1.3 * most),
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT, "made_ahead": TIMING, "ways.state of the workers.*": TIMING})
