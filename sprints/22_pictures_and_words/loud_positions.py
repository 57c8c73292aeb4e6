"""How loud must positions be? A vision transformer learns colours and places; its positions start small or large.

    uv run sprints/22_pictures_and_words/loud_positions.py
    uv run sprints/22_pictures_and_words/loud_positions.py --preset full

The positions are trained in any case. Only their standard deviation at the start differs; all else is the same. One run
of each shows it; --preset full has three and their intervals. Theory: notes/02_how_much_data.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.learning_facts import Budget, accuracies, learn, tables
from seeing.scenes import SIDE, scenes
from seeing.two_networks import VisionClassifier
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.vision_transformer import VisionConfig

PRESETS = {"full": {"seeds": 3}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    positions: Annotated[tuple[PositiveFloat, ...], Different] = (
        0.02,
        0.1,
        0.3,
        1.0,
    )  # standard deviations at the start
    pictures: PositiveInt = 4000  # scenes to learn from
    rate: PositiveFloat = 0.003  # peak learning rate
    steps: PositiveInt = 500  # optimizer steps of each run
    batch_size: PositiveInt = 32  # pictures of a step
    seeds: PositiveInt = 1  # runs of each size: another start, another order


@dataclass(frozen=True)
class Results:
    """By kind of question and size of the positions: test accuracies of all seeds, and their mean."""

    products: float  # standard deviation of what the patches of pictures are multiplied to, at the start
    accuracies: dict[str, dict[str, list[float]]]
    intervals: dict[str, dict[str, MeanInterval]]
    guess: dict[str, float]  # what a guess gets


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    task = tables(scenes("train", 0, config.pictures), scenes("validation", 0, 1), scenes("test", 0, 1000))
    shape = VisionConfig(layers=2, d_model=48)
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in task.kinds}
    products = 0.0
    for positions in tqdm(config.positions, desc="sizes"):
        runs = []
        for seed in range(config.seeds):
            torch.manual_seed(seed)
            network = VisionClassifier(shape, sum(task.classes), positions)
            if seed == 0:
                products = spread(network, task.train.pictures[:100])
            budget = Budget(config.steps, config.batch_size)
            learn(network, task.train, task, budget, rate=config.rate, augment=False, seed=seed)
            runs.append(accuracies(network, task.test, task))
        for kind in task.kinds:
            found[kind][f"{positions:g}"] = [one[kind] for one in runs]
        shown = [f"{kind} {show_interval(*mean_interval([one[kind] for one in runs]), '.1%')}" for kind in task.kinds]
        tqdm.write(f"positions of {positions:g}: {', '.join(shown)}")
    print(f"the products of the patches have a standard deviation of {products:.2f}")
    intervals = {kind: {size: mean_interval(all_) for size, all_ in row.items()} for kind, row in found.items()}
    return Results(products, found, intervals, {"colour": 1 / 6, "place": 1 / SIDE**2})


@torch.no_grad()
def spread(network: VisionClassifier, pictures: torch.Tensor) -> float:
    """Return the standard deviation of the patches' tokens before positions are added."""
    encoder = network.encoder
    tokens = encoder.embed(pictures)[:, 1:] - encoder.position_embedding[1:]
    return tokens.std().item()


def plot(results: Results) -> Figure:
    """Draw both accuracies by the standard deviation of the positions at the start."""
    figure, axes = new_figure(7.0, 4.0)
    for number, (kind, row) in enumerate(results.intervals.items()):
        sizes = [float(size) for size in row]
        means, halves = zip(*row.values(), strict=True)
        axes.errorbar(
            [size * (0.97 + 0.06 * number) for size in sizes], [100 * mean for mean in means],
            [100 * half for half in error_bars(halves)], marker="o", capsize=3, color=COLOURS[number],
        )  # fmt: skip
        axes.axhline(100 * results.guess[kind], linestyle=":", color=COLOURS[number])
        axes.annotate(
            f"{kind} (dotted: a guess)", (sizes[0], 100 * means[0]), (0, 20), textcoords="offset points",
            color=COLOURS[number], va="bottom",
        )  # fmt: skip
    axes.axvline(results.products, color="#777777", linewidth=1)
    axes.annotate(
        "products\nof patches", (results.products, 3), (-4, 0), textcoords="offset points", ha="right", fontsize=8
    )
    axes.set(xscale="log", xlabel="standard deviation of the positions at the start", ylabel="test accuracy in %")
    axes.set(ylim=(0, 100), xticks=sizes)
    axes.set_xticklabels([f"{size:g}" for size in sizes])
    axes.minorticks_off()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": Tolerance(absolute=0.1)})
