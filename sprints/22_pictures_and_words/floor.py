"""How low can CLIP's loss go? The floor for unit vectors, who reaches it, and the temperature that forbids it.

    uv run sprints/22_pictures_and_words/floor.py
    uv run sprints/22_pictures_and_words/floor.py --pairs 512 --dimensions 8 64 511

There is no picture and no text here: the vectors themselves are trained, so nothing but the loss can be in the way.
Theory: notes/05_below_the_floor_of_a_batch.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch.nn import functional

from seeing.contrastive import MOST_SCALE, clip_loss
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveInt
from shared.lab.run import run

START = 1 / 0.07  # the scale with which CLIP begins
SCALES = {
    "as CLIP begins: exp(2.66)": START,
    "the exponential forgotten: 2.66": math.log(START),
    "no temperature: 1": 1.0,
    "multiplied by the temperature: 0.07": 1 / START,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: AtLeastTwo = 64  # pairs of a batch
    dimensions: Annotated[tuple[AtLeastTwo, ...], Different] = (2, 4, 8, 16, 32, 63)  # of the unit vectors
    iterations: PositiveInt = 300  # of L-BFGS, for each row


@dataclass(frozen=True)
class Row:
    scale: float
    floor: float
    reached: float


@dataclass(frozen=True)
class Results:
    """Losses in nats; `by_dimension` is what was reached with the scale that CLIP begins with."""

    pairs: int
    scales: dict[str, Row]
    by_dimension: dict[int, float]
    curves: dict[int, list[float]]


def floor(scale: float, pairs: int) -> float:
    """Return the least loss of unit vectors: own pairs at cosine 1, all others at -1 / (pairs - 1)."""
    return math.log1p((pairs - 1) * math.exp(-scale * pairs / (pairs - 1)))


def descend(scale: float, dimensions: int, config: Config, generator: torch.Generator) -> float:
    """Return the loss that free unit vectors reach."""
    drawn = torch.randn(2, config.pairs, dimensions, generator=generator, dtype=torch.double)
    vectors = drawn.requires_grad_()
    optimizer = torch.optim.LBFGS(
        [vectors], max_iter=config.iterations, tolerance_grad=1e-12, tolerance_change=1e-15, history_size=20,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> torch.Tensor:
        pictures, texts = functional.normalize(vectors, dim=-1)
        return clip_loss(pictures, texts, scale)

    def with_gradient() -> torch.Tensor:
        optimizer.zero_grad()
        found = loss()
        found.backward()
        return found

    optimizer.step(with_gradient)
    return loss().item()


def grid() -> list[float]:
    """Return scales from 0.05 to 100."""
    return torch.logspace(math.log10(0.05), math.log10(MOST_SCALE), 60, dtype=torch.double).tolist()


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator, scales, by_dimension = torch.Generator().manual_seed(config.seed), {}, {}
    for name, scale in SCALES.items():
        # The simplex needs one dimension less than it has corners.
        reached = descend(scale, max(config.pairs - 1, 2), config, generator)
        scales[name] = Row(scale, floor(scale, config.pairs), reached)
        print(f"{name}: floor {scales[name].floor:.3g}, reached {reached:.3g}")
    print(f"log of the batch, for vectors that are all alike: {math.log(config.pairs):.3f}")
    for dimensions in config.dimensions:
        by_dimension[dimensions] = descend(START, dimensions, config, generator)
        print(f"{dimensions} dimensions, scale {START:.1f}: {by_dimension[dimensions]:.3g}")
    curves = {pairs: [floor(scale, pairs) for scale in grid()] for pairs in (8, 64, 512)}
    return Results(config.pairs, scales, by_dimension, curves)


def plot(results: Results) -> Figure:
    """Draw the floor over the scale for three batches, and what few dimensions reach."""
    figure, (left, right) = new_figure(9.4, 3.9, columns=2)
    for colour, (pairs, losses) in zip(("C5", "C0", "C4"), results.curves.items(), strict=True):
        left.plot(grid(), losses, color=colour)
        left.annotate(
            f"{pairs} pairs", (grid()[0], losses[0]), xytext=(0, -14), textcoords="offset points", color=colour
        )
    for row in results.scales.values():
        left.plot(row.scale, row.reached, "o", color="C3", zorder=3)
        words = f"{row.scale:.3g}: {row.reached:.2g}" if row.reached < 0.01 else f"{row.scale:.3g}: {row.reached:.2f}"
        # In the middle the space above the dots belongs to the curve of more pairs.
        middle = 0.5 < row.scale < 5
        place, align = ((-7, -11 if row.scale < 2 else 1), "right") if middle else ((5, 6), "left")
        left.annotate(
            words, (row.scale, row.reached), xytext=place, textcoords="offset points", color="C3", ha=align
        )  # fmt: skip
    left.set(xscale="log", xlabel="scale (inverse temperature)", ylabel="nats per pair", ylim=(-0.2, 7))
    left.set_title(f"the floor; dots: reached with {results.pairs} pairs", fontsize=10)
    right.plot(list(results.by_dimension), list(results.by_dimension.values()), "o-", color="C3")
    least = floor(START, results.pairs)
    right.axhline(least, color="black", linestyle="--", linewidth=1)
    right.annotate("floor", (2, least), xytext=(0, 4), textcoords="offset points")
    right.set(xscale="log", yscale="log", xlabel="dimensions of the vectors", ylabel="nats per pair")
    right.set_xticks(list(results.by_dimension), [str(number) for number in results.by_dimension])
    right.minorticks_off()
    right.set_title(f"reached with scale {START:.1f}, one start each", fontsize=10)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"by_dimension.*": TRAINED})
