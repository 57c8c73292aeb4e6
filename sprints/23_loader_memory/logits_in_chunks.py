"""What does a loss save that makes its logits a few tokens at a time, and what does it cost?

    uv run sprints/23_loader_memory/logits_in_chunks.py
    uv run sprints/23_loader_memory/logits_in_chunks.py --vocab-size 50257 --d-model 768 --tokens 512

The loss of the output layer alone, plain and in chunks: its value and gradients, the most memory at once, and the
time. Theory: notes/10_what_each_saves.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from memory_study.chunked_loss import chunked_loss
from memory_study.step_memory import usage_of
from shared.lab.compare import ROUNDING, TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    chunks: Annotated[tuple[PositiveInt, ...], Different] = (32, 128, 512, 2048)  # tokens whose logits exist at a time
    tokens: PositiveInt = 2048  # of a batch
    vocab_size: PositiveInt = 8192  # tokens of the vocabulary
    d_model: PositiveInt = 128  # features of a token
    rounds: PositiveInt = 5  # that are timed, in turns


@dataclass(frozen=True)
class Measured:
    """Bytes at the peak, largest differences from the plain loss (relative to the largest value), a ratio of times."""

    peak: int
    loss_difference: float
    gradient_difference: float
    seconds_of_plain: float


@dataclass(frozen=True)
class Results:
    logits: int  # bytes of one tensor of logits
    plain: int  # bytes at the peak of the plain loss
    chunks: dict[str, Measured]


Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def plain_loss(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """Return the sum of the losses from all logits at once."""
    return functional.cross_entropy(hidden @ weight.T, labels, reduction="sum")


def once(loss: Loss, tensors: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Return the loss, and its gradients in the hidden states and in the weight."""
    hidden, weight, labels = tensors
    value = loss(hidden, weight, labels) / len(labels)
    return value.detach(), *torch.autograd.grad(value, (hidden, weight))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    hidden = torch.randn(config.tokens, config.d_model, generator=generator).requires_grad_()
    weight = (torch.randn(config.vocab_size, config.d_model, generator=generator) / 10).requires_grad_()
    tensors = hidden, weight, torch.randint(config.vocab_size, (config.tokens,), generator=generator)
    losses: dict[str, Loss] = {"plain": plain_loss}
    losses |= {str(chunk): partial(chunked_loss, chunk=chunk) for chunk in config.chunks}
    found = {name: once(loss, tensors) for name, loss in losses.items()}
    peaks = {name: usage_of(partial(once, loss, tensors)).peak for name, loss in losses.items()}
    seconds: dict[str, list[float]] = {name: [] for name in losses}
    for _ in range(config.rounds):
        for name, loss in losses.items():
            began = time.perf_counter()
            once(loss, tensors)
            seconds[name].append(time.perf_counter() - began)
    measured = {}
    for name in losses:
        if name != "plain":
            pairs = zip(found[name], found["plain"], strict=True)
            differences = [((ours - plain).abs().max() / plain.abs().max()).item() for ours, plain in pairs]
            ratio = statistics.median(a / b for a, b in zip(seconds[name], seconds["plain"], strict=True))
            measured[name] = Measured(peaks[name], differences[0], max(differences[1:]), ratio)
            print(f"{name:>5} tokens at a time: {peaks[name] / 1e6:6.1f} MB, {ratio:.2f} times as long")
    print(f"plain: {peaks['plain'] / 1e6:.1f} MB")
    return Results(4 * config.tokens * config.vocab_size, peaks["plain"], measured)


def plot(results: Results) -> Figure:
    """Draw the peak of memory by the size of a chunk, beside the plain loss."""
    figure, axes = new_figure(7.0, 3.2)
    sizes = [int(name) for name in results.chunks]
    axes.plot(sizes, [found.peak / 1e6 for found in results.chunks.values()], "o-", color=COLOURS[0])
    axes.axhline(results.plain / 1e6, color=COLOURS[1])
    axes.annotate("plain", (sizes[0], results.plain / 1e6), xytext=(0, 4), textcoords="offset points", color=COLOURS[1])
    axes.annotate(
        "in chunks", (sizes[0], next(iter(results.chunks.values())).peak / 1e6), xytext=(0, 8),
        textcoords="offset points", color=COLOURS[0],
    )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set(
        xlabel="tokens whose logits exist at a time", ylabel="MB at the peak", ylim=(0, 1.15 * results.plain / 1e6)
    )
    return figure


TOLERANCE = {"chunks.*difference": TIMING, "chunks.*peak": Tolerance(relative=0.01), "plain": Tolerance(relative=0.01),
             "logits": ROUNDING}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
