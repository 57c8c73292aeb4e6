"""What is left of a checkpoint if the power fails while it is written? In place, and under another name.

    uv run sprints/09_train_gpt2/saving_safely.py

Both ways are stopped at three moments: before, in the middle, and after. Theory: notes/11_resuming.md
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.training.sealed import load_sealed, save_sealed

MOMENTS = ("before", "half written", "after")


@dataclass(frozen=True)
class Config(ScriptConfig):
    old: PositiveInt = 100  # step of the checkpoint that is there
    new: PositiveInt = 200  # step of the one that is written


@dataclass(frozen=True)
class Results:
    in_place: list[str]
    renamed: list[str]
    other_name: list[str]


def read(path: Path) -> str:
    """Return which checkpoint a file holds."""
    if not path.exists():
        return ""
    try:
        return f"step {load_sealed(path)['step']}"
    except ValueError:
        return "unreadable"


def main(config: Config) -> Results:
    in_place, renamed, other_name = [], [], []
    with tempfile.TemporaryDirectory() as name:
        path, other, source = (Path(name) / file for file in ("train.pt", "train.tmp", "new.pt"))
        save_sealed({"step": config.new, "weights": torch.zeros(1000)}, source)
        new = source.read_bytes()
        for moment in MOMENTS:
            share = {"before": 0, "half written": len(new) // 2, "after": len(new)}[moment]
            save_sealed({"step": config.old, "weights": torch.zeros(1000)}, path)
            if share:
                path.write_bytes(new[:share])
            in_place.append(read(path))
            save_sealed({"step": config.old, "weights": torch.zeros(1000)}, path)
            if share:
                other.write_bytes(new[:share])
            if share == len(new):
                os.replace(other, path)
            renamed.append(read(path))
            other_name.append(read(other))
            other.unlink(missing_ok=True)
    for moment, one, two in zip(MOMENTS, in_place, renamed, strict=True):
        print(f"{moment:<14}in place: {one:<12}renamed: {two}")
    return Results(in_place, renamed, other_name)


def plot(results: Results) -> Figure:
    """Draw what stands under which name at each moment."""
    figure, axes = drawings.canvas(9.0, 3.6)
    for column, moment in enumerate(MOMENTS):
        x = 2.0 + 2.4 * column
        drawings.text(axes, moment, x + 0.9, 3.35, bold=True)
        for y, words in ((2.5, results.in_place[column]), (1.2, results.renamed[column])):
            drawings.box(axes, words, x, y, 1.8, 0.5, drawings.COLOURS[3] if words == "unreadable" else drawings.VALUE)
        if results.other_name[column]:
            drawings.box(axes, "half of it", x, 0.4, 1.8, 0.5, drawings.TOKEN)
    for y, words in ((2.75, "written in place:\ntrain.pt"), (1.45, "renamed:\ntrain.pt"), (0.65, "another name")):
        drawings.text(axes, words, 1.8, y, align="right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
