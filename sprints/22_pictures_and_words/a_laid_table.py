"""How well can a table be described, with its picture and without? Exact entropies, and scenes that are drawn.

    uv run sprints/22_pictures_and_words/a_laid_table.py
    uv run sprints/22_pictures_and_words/a_laid_table.py --scenes 200 --stream train

Theory: notes/03_a_laid_table.md
"""

import textwrap
from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure

from seeing.captions import entropy, entropy_given_scene, log_probability, log_probability_without_picture, pairs
from seeing.drawing import decode, fewest_different_pixels, render
from seeing.scenes import MOST_ITEMS, scenes
from seeing.worth import PARTS, WRITERS, on_average
from shared.checks.intervals import mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    scenes: AtLeastTwo = 20_000  # scenes that are drawn, with a caption each
    decoded: AtLeastTwo = 1_000  # of them, pictures that are read back
    stream: Literal["train", "validation", "test"] = "validation"  # where the scenes are from


@dataclass(frozen=True)
class Results:
    entropy: float
    entropy_given_scene: float
    worth: float
    # by number of items: nats without the picture, with it, and what it is worth, each on average
    by_number: dict[str, dict[str, float]]
    # by number of items and part: what the picture is worth
    worth_by_part: dict[str, dict[str, float]]
    # mean of -log P over the drawn captions and half of its 95 % interval
    measured: tuple[float, float | None]
    measured_given_scene: tuple[float, float | None]
    decoded: int
    fewest_different_pixels: int
    # one scene for each number of items
    stream: str
    shown: list[int]
    captions: list[str]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    drawn = pairs(config.stream, 0, config.scenes)
    alone = mean_interval([-log_probability_without_picture(text) for _, text in drawn])
    given = mean_interval([-log_probability(text, scene) for scene, text in drawn])
    print(f"H(caption) = {entropy():.3f} nats, measured {alone[0]:.3f} ± {alone[1]:.3f}")
    print(f"H(caption | scene) = {entropy_given_scene():.3f} nats, measured {given[0]:.3f} ± {given[1]:.3f}")
    by_number, by_part = {}, {}
    for number in range(1, MOST_ITEMS + 1):
        without, seen = on_average(number, seen=False), on_average(number, seen=True)
        by_part[str(number)] = {part: without[part] - seen[part] for part in PARTS if part not in WRITERS}
        totals = {"without": sum(without.values()), "given": sum(seen.values())}
        by_number[str(number)] = totals | {"worth": totals["without"] - totals["given"]}
        print(f"{number} items: a picture is worth {by_number[str(number)]['worth']:.2f} nats")
    read = sum(decode(render(scene)) == scene for scene, _ in drawn[: config.decoded])
    print(f"{read} of {min(config.decoded, config.scenes)} pictures are read back exactly")
    sizes = [len(scene.items) for scene, _ in drawn]
    shown = [sizes.index(number) for number in range(1, MOST_ITEMS + 1) if number in sizes]
    return Results(
        entropy=entropy(),
        entropy_given_scene=entropy_given_scene(),
        worth=entropy() - entropy_given_scene(),
        by_number=by_number,
        worth_by_part=by_part,
        measured=alone,
        measured_given_scene=given,
        decoded=read,
        fewest_different_pixels=fewest_different_pixels(),
        stream=config.stream,
        shown=shown,
        captions=[drawn[index][1] for index in shown],
    )


def plot(results: Results) -> Figure:
    """Draw a table for each number of items with its caption, and below what pictures are worth, part by part."""
    figure, axes = new_figure(8.6, 6.2, rows=2, columns=len(results.shown))
    for column, (index, words) in enumerate(zip(results.shown, results.captions, strict=True)):
        top = axes[0, column]
        top.imshow(render(scenes(results.stream, index, 1)[0]).permute(1, 2, 0).numpy())
        top.axis("off")
        top.set_title(textwrap.fill(words, 29), fontsize=8, loc="left")
    grid = axes[1, 0].get_gridspec()
    for old in axes[1]:
        old.remove()
    below = figure.add_subplot(grid[1, :])
    shades = (COLOURS[0], COLOURS[5], COLOURS[2], COLOURS[6], COLOURS[1])
    for row, (number, parts) in enumerate(results.worth_by_part.items()):
        start = results.by_number[number]["given"]
        bars = [("what the writer decides", start, "#BBBBBB")]
        bars += [(part, nats, shade) for (part, nats), shade in zip(parts.items(), shades, strict=True)]
        start = 0.0
        for part, nats, shade in bars:
            label = None if row else part
            below.barh(row, nats, left=start, height=0.6, color=shade, edgecolor="white", label=label)
            colour = "white" if shade == COLOURS[0] else "black"
            if nats > 0:
                # A narrow bar has its number above it.
                y, colour = (row, colour) if nats > 0.5 else (row - 0.42, "black")
                below.text(start + nats / 2, y, f"{nats:.1f}", ha="center", va="center", fontsize=7.5, color=colour)
            start += nats
        below.text(start + 0.25, row, f"{start:.1f}", va="center", fontweight="bold")
    figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
    below.set(yticks=range(len(results.by_number)), yticklabels=list(results.by_number))
    below.set(xlabel="nats a caption", ylabel="items", xlim=(0, 25))
    below.invert_yaxis()
    below.grid(visible=False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
