"""How does GPT-2 start, and what does the smaller start of the residual branches do?

    uv run sprints/08_gpt2_assembly/how_it_starts.py
    uv run sprints/08_gpt2_assembly/how_it_starts.py --layers 4 12 48 96

Untrained models of several depths, with the factor 1 / sqrt(2 layers) on the last matrix of each branch and without it:
how large the residual path gets, and what the loss says. Nothing is trained. Theory: notes/05_how_it_starts.md
"""

import math
from dataclasses import dataclass
from statistics import mean
from typing import Any

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.training.losses import next_token_loss


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: tuple[PositiveInt, ...] = (4, 12, 48)  # depths
    d_model: PositiveInt = 128  # features of a token, in heads of 32
    seeds: PositiveInt = 3  # models of each kind

    def check(self) -> None:
        if self.d_model % 32:
            raise ValueError(f"--d-model must be a multiple of 32, the width of a head; got {self.d_model}")


@dataclass(frozen=True)
class Start:
    """By seed: the standard deviation of the path at the beginning and after each block, the loss, that of logits."""

    sizes: list[list[float]]
    losses: list[float]
    logit_deviations: list[float]


@dataclass(frozen=True)
class Results:
    guessing: float
    with_factor: dict[int, Start]
    without_factor: dict[int, Start]


@torch.no_grad()
def look(config: GPTConfig, seed: int, *, factor: bool) -> tuple[list[float], float, float]:
    """Return the sizes of the path, the loss and the deviation of the logits of one untrained model."""
    generator = torch.Generator().manual_seed(seed)
    model = GPT(config, generator).eval()
    if not factor:
        blocks: Any = model.blocks
        for block in blocks:
            for matrix in (block.attention.output.weight, block.feed_forward.contract.weight):
                matrix *= math.sqrt(2 * config.layers)
    tokens = torch.randint(config.vocab_size, (4, config.context), generator=generator)
    x = model.token_embedding(tokens) + model.positions(torch.arange(config.context)[None])
    sizes = [x.std().item()]
    for block in model.blocks:
        x = block(x)
        sizes.append(x.std().item())
    logits = model.head(model.norm(x))  # (batch, tokens, vocab_size)
    return sizes, next_token_loss(logits, tokens).item(), logits.std().item()


def main(config: Config) -> Results:
    kinds: dict[bool, dict[int, Start]] = {True: {}, False: {}}
    vocab_size = 512
    for factor, starts in kinds.items():
        for layers in config.layers:
            size = GPTConfig(vocab_size, 64, layers, config.d_model // 32, config.d_model, dropout=0.0)
            looked = [look(size, config.seed + seed, factor=factor) for seed in range(config.seeds)]
            starts[layers] = start = Start(*(list(column) for column in zip(*looked, strict=True)))
            end = mean(sizes[-1] for sizes in start.sizes)
            print(f"{layers:>3} layers, {'with' if factor else 'without'} the factor: ", end="")
            print(f"the path grows from {start.sizes[0][0]:.3f} to {end:.3f}, loss {mean(start.losses):.3f}")
    print(f"guessing: ln({vocab_size}) = {math.log(vocab_size):.3f}")
    return Results(math.log(vocab_size), kinds[True], kinds[False])


def plot(results: Results) -> Figure:
    """Draw the size of the residual path by block, with the factor and without it."""
    figure, axes = new_figure(7.2, 3.6)
    for starts, colour in ((results.without_factor, COLOURS[1]), (results.with_factor, COLOURS[0])):
        for layers, start in starts.items():
            columns = list(zip(*start.sizes, strict=True))
            means = [mean(column) for column in columns]
            axes.plot(means, color=colour, marker="o", markevery=[-1], markersize=5)
            axes.fill_between(
                range(len(means)), *([f(c) for c in columns] for f in (min, max)), color=colour, alpha=0.3
            )
            if starts is results.without_factor:
                words = f"{layers} layers" + (", without the factor" if layers == max(starts) else "")
                axes.text(layers + 1, means[-1], words, color=colour, va="center")
    depths = ", ".join(map(str, results.with_factor))
    axes.text(13, 0.085, f"with the factor: models of {depths} layers", color=COLOURS[0])
    deepest = max(results.with_factor)
    axes.set(xlabel="blocks passed", ylabel="standard deviation of the path", ylim=(0, None), xlim=(0, deepest * 1.55))
    axes.set_xticks(range(0, deepest + 1, max(1, deepest // 6)))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
