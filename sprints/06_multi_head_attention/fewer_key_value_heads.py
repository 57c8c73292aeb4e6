"""What do fewer key-value heads cost in quality, learnt from scratch and made from a trained model (extra)?

    uv run sprints/06_multi_head_attention/fewer_key_value_heads.py
    uv run sprints/06_multi_head_attention/fewer_key_value_heads.py --heads 8 --key-value-heads 8 4 2 1 --seeds 5

The task is the second copy of induction.py, whose optimum is 0. All models have the same budget of steps. The trained
ordinary model gets fewer heads by averaging them, and a short training after it. Theory:
notes/11_fewer_key_value_heads.md
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from attention_study.grouped_heads import OneProductAttention, check_groups
from attention_study.repeated_rows import Rows, check_tokens, copies, loss_of_the_set, repeated_rows
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers


@dataclass(frozen=True)
class Config(ScriptConfig):
    heads: PositiveInt = 4  # query heads
    key_value_heads: tuple[PositiveInt, ...] = (4, 2, 1)  # key-value heads of each model; the first is averaged
    d_model: PositiveInt = 64  # features of a token
    vocab: PositiveInt = 24  # distinct tokens, without the separator
    longest: AtLeastTwo = 8  # most tokens of a pattern; the least is half of it
    steps: PositiveInt = 1200  # optimizer steps
    repair_steps: PositiveInt = 60  # optimizer steps after heads were averaged
    batch_size: PositiveInt = 32  # rows of a batch
    seeds: PositiveInt = 3  # runs of each model, with seeds from --seed on

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        check_groups(self.heads, self.key_value_heads)
        check_groups(self.key_value_heads[0], self.key_value_heads)
        check_tokens(self.vocab, self.longest)


@dataclass(frozen=True)
class Quality:
    """Losses by run: learnt, averaged from the ordinary model, repaired, and of a new model after as few steps."""

    from_scratch: list[float]
    averaged: list[float]
    repaired: list[float]
    from_scratch_briefly: list[float]


@dataclass(frozen=True)
class Results:
    by_heads: dict[str, Quality]
    chance: float
    knows_the_set: float


class Copier(nn.Module):
    """Two attention layers that add to the residual path; positions are added to the tokens."""

    def __init__(self, config: Config, key_value_heads: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab + 1, config.d_model)
        self.positions = nn.Embedding(2 * config.longest + 2, config.d_model)
        self.layers = nn.ModuleList(
            OneProductAttention(config.d_model, config.heads, key_value_heads) for _ in range(2)
        )
        self.readout = nn.Linear(config.d_model, config.vocab + 1)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token_embedding(tokens) + self.positions.weight[: tokens.shape[1]]
        for layer in self.layers:
            x = x + layer(x)  # (batch, tokens, d_model)
        return self.readout(x)


def rows(config: Config, generator: torch.Generator) -> Iterator[Rows]:
    """Yield batches of the task of induction.py."""
    shortest, device = config.longest // 2, pick_device(config.device)
    return repeated_rows(config.vocab, shortest, config.longest, config.batch_size, generator, device)


def loss_function(model: nn.Module, batch: Rows) -> tuple[Tensor, int]:
    """Return the summed loss of the second copy and the number of its targets."""
    second = copies(batch)[1]
    logits, wanted = model(batch.tokens[:, :-1])[second], batch.tokens[:, 1:][second]
    return functional.cross_entropy(logits, wanted, reduction="sum"), len(wanted)


@torch.no_grad()
def evaluate(config: Config, model: nn.Module) -> float:
    """Return the loss on rows that no training seed draws."""
    fresh = rows(config, torch.Generator().manual_seed(config.seed + 1_000_000))
    losses = [loss_function(model, next(fresh)) for _ in range(16)]
    return sum(loss.item() for loss, _ in losses) / sum(count for _, count in losses)


def train(config: Config, model: Copier, seed: int, steps: int) -> Copier:
    data = rows(config, torch.Generator().manual_seed(seed))
    optimizers = make_optimizers(model, learning_rate=3e-3)
    for _ in train_steps(model, data, loss_function=loss_function, optimizers=optimizers, steps=steps):
        pass
    return model


def four_losses(config: Config, seed: int) -> dict[str, tuple[float, float, float, float]]:
    """Return the four losses of `Quality` for each number of key-value heads."""
    device, losses, ordinary = pick_device(config.device), {}, None
    for count in config.key_value_heads:
        seed_everything(seed)
        untrained = Copier(config, count).to(device)
        trained = train(config, copy.deepcopy(untrained), seed, config.steps)
        ordinary = ordinary or trained
        averaged = copy.deepcopy(ordinary)
        for layer in averaged.modules():
            if isinstance(layer, OneProductAttention):
                layer.average_heads(count)
        at_once = evaluate(config, averaged)
        repaired, briefly = (train(config, model, seed + 1000, config.repair_steps) for model in (averaged, untrained))
        losses[str(count)] = evaluate(config, trained), at_once, evaluate(config, repaired), evaluate(config, briefly)
    return losses


def main(config: Config) -> Results:
    seeds = range(config.seed, config.seed + config.seeds)
    by_seed = [four_losses(config, seed) for seed in tqdm(seeds, unit="seed")]
    by_heads = {
        count: Quality(*(list(values) for values in zip(*(losses[count] for losses in by_seed), strict=True)))
        for count in by_seed[0]
    }
    knows_the_set = loss_of_the_set(config.longest // 2, config.longest)
    for count, quality in by_heads.items():
        print(f"{count} key-value heads")
        for name, losses in vars(quality).items():
            print(f"  {name:<22}{'  '.join(f'{loss:.4f}' for loss in losses)}")
    print(f"chance {math.log(config.vocab):.3f}, knows the set but not the order {knows_the_set:.3f}, optimum 0")
    return Results(by_heads, math.log(config.vocab), knows_the_set)


def plot(results: Results) -> Figure:
    """Draw the losses of all runs by number of key-value heads."""
    figure, axes = new_figure(8.0, 4.0)
    places = range(len(results.by_heads))
    for index, name in enumerate(("from_scratch", "averaged", "repaired", "from_scratch_briefly")):
        for place, quality in zip(places, results.by_heads.values(), strict=True):
            losses = vars(quality)[name]
            label = name.replace("_", " ") if place == 0 else None
            axes.scatter([place + 0.12 * (index - 1.5)] * len(losses), losses, color=f"C{index}", label=label)
    axes.axhline(results.chance, color="grey", linestyle=":", label="chance")
    axes.set(xlabel="key-value heads", ylabel="nats per token (optimum 0)", xticks=list(places))
    axes.set_yscale("log")
    axes.set_xticks(list(places), list(results.by_heads))
    axes.legend(ncols=2, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"by_heads.*": TRAINED})
