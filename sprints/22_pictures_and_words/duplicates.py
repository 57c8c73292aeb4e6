"""What do duplicates in a batch cost? Exactly, for things that are equally likely and for the captions of our table.

    uv run sprints/22_pictures_and_words/duplicates.py
    uv run sprints/22_pictures_and_words/duplicates.py --kinds 8 --batch 256

The loss calls every other caption of the batch wrong, also one that says the same. Vectors of K things are trained with
duplicates left in, and with them masked out. Theory: notes/05_below_the_floor_of_a_batch.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from scipy.stats import binom
from torch import Tensor, nn
from torch.nn import functional

from seeing.captions import pairs
from seeing.contrastive import ContrastiveLoss, info_nce
from seeing.retrieval import recall
from seeing.retrieval_optimum import scores
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    kinds: AtLeastTwo = 32  # things that are equally likely
    batch: AtLeastTwo = 64  # pairs of a batch
    features: AtLeastTwo = 32  # of the unit vectors
    steps: PositiveInt = 400  # of Adam
    rate: PositiveFloat = 0.05  # of Adam
    seeds: PositiveInt = 3  # trainings of each
    table_batches: Annotated[tuple[AtLeastTwo, ...], Different] = (16, 64, 256, 1024)  # pairs of scenes and captions


@dataclass(frozen=True)
class Trained:
    """Of the last 100 batches: the loss in nats and the least that these batches allow; recall@1 among all things.

    All with halves of 95 % intervals.
    """

    loss: MeanInterval
    least: MeanInterval
    recall: MeanInterval


@dataclass(frozen=True)
class Floor:
    """The least mean loss on batches of our table, and how much of it is due to captions that are equal to a letter."""

    batches: int
    loss: float
    equal_captions: float


@dataclass(frozen=True)
class Results:
    no_duplicate: float
    cost: float
    left: Trained
    masked: Trained
    table: dict[int, Floor]


def no_duplicate(batch: int, kinds: int) -> float:
    """Return the probability that all of a batch differ, drawn with replacement."""
    return math.prod(1 - drawn / kinds for drawn in range(batch))


def cost(batch: int, kinds: int) -> float:
    """Return E log(1 + D) for D other copies in the batch: the least loss there can be."""
    return sum(math.log1p(d) * binom.pmf(d, batch - 1, 1 / kinds) for d in range(batch))


def contrast(vectors: Tensor, things: Tensor, scale: Tensor, masked: bool) -> Tensor:
    """Return CLIP's loss; masked, copies of a pair are no candidates for it."""
    logits = scale * vectors[0] @ vectors[1].mT
    if masked:
        copies = (things[:, None] == things) & ~torch.eye(len(things), dtype=torch.bool)
        logits = logits.masked_fill(copies, -math.inf)
    return (info_nce(logits) + info_nce(logits.mT)) / 2


def train(config: Config, masked: bool, seed: int) -> tuple[float, float, float]:
    """Return the mean loss of the last batches, the least that they allow, and recall@1 among all things."""
    generator = torch.Generator().manual_seed(seed)
    tables = nn.Parameter(torch.randn(2, config.kinds, config.features, generator=generator))
    loss_of, losses, least = ContrastiveLoss("clip"), [], []  # the first one holds the scale
    optimizer = torch.optim.Adam([tables, *loss_of.parameters()], lr=config.rate)
    for _ in range(config.steps):
        things = torch.randint(config.kinds, (config.batch,), generator=generator)
        loss = contrast(functional.normalize(tables, dim=-1)[:, things], things, loss_of.scale, masked)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_of.clamp()
        losses.append(loss.item())
        copies = (things[:, None] == things).sum(dim=1)  # itself included
        least.append(0.0 if masked else copies.log().mean().item())
    shown, said = functional.normalize(tables.detach(), dim=-1)
    last = len(losses[-100:])
    return sum(losses[-last:]) / last, sum(least[-last:]) / last, recall(shown @ said.mT)


def table_floor(batch: int) -> Floor:
    """Return the floor on the first 4,096 training pairs, cut into batches: the exact posteriors as logits."""
    drawn = pairs("train", 0, max(4096, batch))
    losses, equal = [], []
    for start in range(0, len(drawn) - batch + 1, batch):
        scenes, captions = zip(*drawn[start : start + batch], strict=True)
        logits = scores(captions, scenes)
        losses.append((info_nce(logits) + info_nce(logits.mT)).item() / 2)
        # Whoever reads perfectly still cannot tell equal captions apart.
        equal.append(sum(math.log(captions.count(text)) for text in captions) / batch)
    return Floor(len(losses), sum(losses) / len(losses), sum(equal) / len(equal))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    alone = no_duplicate(64, 1000)
    print(f"64 drawn of 1,000: all differ with probability {alone:.3f}")
    exact = cost(config.batch, config.kinds)
    print(f"{config.batch} drawn of {config.kinds}: a loss of at least {exact:.3f} nats per pair")
    found = {}
    for name, masked in (("left", False), ("masked", True)):
        runs = [train(config, masked, config.seed + seed) for seed in range(config.seeds)]
        found[name] = row = Trained(*(mean_interval(values) for values in zip(*runs, strict=True)))
        print(f"duplicates {name}: loss {row.loss[0]:.3f} of at least {row.least[0]:.3f}, recall@1 {row.recall[0]:.3f}")
    table = {}
    for batch in config.table_batches:
        table[batch] = floor = table_floor(batch)
        print(f"our table, batches of {batch}: floor {floor.loss:.3f}, equal captions {floor.equal_captions:.3f}")
    return Results(alone, exact, found["left"], found["masked"], table)


def plot(results: Results) -> Figure:
    """Draw the floor of batches of our table, and what equal captions have of it."""
    figure, axes = new_figure(6.6, 3.6)
    places = list(range(len(results.table)))
    for colour, name, heights in (
        ("C0", "several scenes fit a caption, or captions a scene", [floor.loss for floor in results.table.values()]),
        ("C1", "captions that are equal to the letter", [floor.equal_captions for floor in results.table.values()]),
    ):
        axes.bar(places, heights, color=colour, width=0.6, label=name)
    for place, floor in zip(places, results.table.values(), strict=True):
        axes.annotate(f"{floor.loss:.2f}", (place, floor.loss), xytext=(0, 3), textcoords="offset points", ha="center")
    axes.set_xticks(places, [f"{batch:,}" for batch in results.table])
    axes.set(xlabel="pairs of a batch", ylabel="least loss, nats per pair")
    axes.set_ylim(0, 1.15 * max(floor.loss for floor in results.table.values()))
    axes.legend(loc="upper left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"left.*": TRAINED, "masked.*": TRAINED})
