"""A process reads a large file and grows. Is it a leak? What a memory map takes and gives back, and what a leak does.

    uv run sprints/23_loader_memory/page_cache.py

A file is mapped, read and given back; the same bytes are loaded into memory that no file stands behind; and two loops
run side by side, one that reads and one that keeps its losses. Linux only. Theory: notes/03_not_a_leak.md
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from memory_study.cache import Moment, anonymous, file_backed, write_noise
from memory_study.memory import Kinds, check_linux, kinds_of
from memory_study.processes import in_a_process
from shared.lab.compare import EXACT, TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    megabytes: PositiveInt = 128  # size of the file
    steps: PositiveInt = 60  # steps of the two loops; two passes over the file

    def check(self) -> None:
        check_linux()


@dataclass(frozen=True)
class Loop:
    """Bytes since the beginning, after each step."""

    anonymous: list[int]
    file: list[int]


@dataclass(frozen=True)
class Results:
    size: int
    file_backed: list[Moment]
    anonymous: list[Moment]
    loops: dict[str, Loop]
    same_after_giving_back: dict[str, bool]


def loop(path: Path, steps: int, leaks: bool) -> Loop:
    """Read a mapped file in pieces, twice, and compute a loss of each; a leak keeps it with its graph."""
    torch.set_num_threads(1)
    values = np.memmap(path, dtype=np.uint8, mode="r")
    piece = 2 * len(values) // steps
    scale = torch.ones(1, requires_grad=True)
    for _ in range(2):  # what PyTorch takes once, it takes now
        (torch.zeros(piece // 8) * scale).tanh().mean().item()
    losses: list[torch.Tensor | float] = []
    seen: list[Kinds] = [kinds_of()]
    for step in range(steps):
        start = step * piece % (len(values) - piece + 1)
        batch = torch.from_numpy(values[start : start + piece : 8].astype(np.float32))
        loss = (batch * scale).tanh().mean()  # tanh keeps its output for the backward pass
        losses.append(loss if leaks else loss.item())
        seen.append(kinds_of())
    return Loop(
        [one.anonymous - seen[0].anonymous for one in seen], [one.file - seen[0].file for one in seen]
    )  # fmt: skip


def main(config: Config) -> Results:
    check_linux()
    size = config.megabytes * 2**20
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise"
        write_noise(path, size, config.seed)
        backed = in_a_process("fork", file_backed, path)
        loaded = in_a_process("fork", anonymous, path)
        loops = {name: in_a_process("fork", loop, path, config.steps, name == "leaks") for name in ("reads", "leaks")}
    for title, moments in (("a mapped file", backed), ("memory without a file", loaded)):
        print(title)
        for moment in moments:
            print(f"  {moment.what:<24}" + ", ".join(
                f"{name} {getattr(moment, name) / 2**20:6.1f} MB" for name in ("anonymous", "file", "cached")
            ) + f"  {moment.digest[:8]}")  # fmt: skip
    same = {}
    for name, moments in (("file", backed), ("none", loaded)):
        digests = [moment.digest for moment in moments if moment.digest]
        same[name] = len(set(digests)) == 1
    print(f"the same bytes after their pages were given back: with a file {same['file']}, without {same['none']}")
    for name, found in loops.items():
        print(
            f"a loop that {name}: anonymous {found.anonymous[-1] / 2**20:.0f} MB, file {found.file[-1] / 2**20:.0f} MB"
        )
    return Results(size, backed, loaded, loops, same)


def plot(results: Results) -> Figure:
    """Draw both loops: what they have of the file, and what is theirs alone."""
    figure, rows = new_figure(7.4, 3.3, 1, 2)
    top = 1.1 * max(max(found.anonymous + found.file) for found in results.loops.values()) / 2**20
    for axes, (name, found) in zip(rows, results.loops.items(), strict=True):
        for kind, values, colour in (("file", found.file, COLOURS[0]), ("anonymous", found.anonymous, COLOURS[3])):
            heights = [value / 2**20 for value in values]
            axes.plot(heights, color=colour)
            axes.text(len(heights) - 1, heights[-1], f" {kind}", color=colour, va="center")
        # Up to the last step, so that it does not strike through the word "file".
        axes.plot([0, len(found.file) - 1], 2 * [results.size / 2**20], color="black", linewidth=1, linestyle=":")
        axes.text(0, results.size / 2**20, " size of the file", va="bottom", fontsize=8)
        axes.set(xlabel="step", title=f"a loop that {name}", xlim=(0, 1.4 * len(found.file)), ylim=(0, top))
    rows[0].set_ylabel("MB since the beginning")
    return figure


if __name__ == "__main__":
    tolerance = {"*": Tolerance(relative=0.1, absolute=2**21), "same_after*": EXACT, "*.digest": EXACT}
    run(main, Config, plot=plot, tolerance=tolerance | {"file_backed.*.cached": TIMING, "anonymous.*.cached": TIMING})
