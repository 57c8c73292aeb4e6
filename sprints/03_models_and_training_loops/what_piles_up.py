"""What piles up without no_grad(), without item() and without zero_grad()?

    uv run sprints/03_models_and_training_loops/what_piles_up.py

Autograd keeps what a backward pass will need; here that memory is counted, batch by batch, during an evaluation. Then a
network is trained with gradients that are never cleared.
Theory: notes/02_the_five_lines.md and notes/07_training_and_evaluation.md
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from weakref import WeakSet

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_flat_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

WAYS = ("total += loss", "total += loss.item()", "no_grad")


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: PositiveInt = 128  # hidden units
    batches: PositiveInt = 10  # batches of the evaluation
    batch_size: PositiveInt = 64  # images of a batch
    steps: PositiveInt = 200  # training steps
    learning_rate: PositiveFloat = 0.1  # of SGD

    def check(self) -> None:
        if self.batches * self.batch_size > 1797:
            raise ValueError(
                f"the batches must fit into the 1,797 images; got --batches {self.batches} of --batch-size "
                f"{self.batch_size}: give fewer or smaller ones"
            )


@dataclass(frozen=True)
class Results:
    kilobytes: dict[str, list[float]]
    losses: dict[str, list[float]]
    differs_from_momentum_one: float


class SavedTensor:
    """What autograd keeps of one tensor until the backward pass."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor.detach()


@contextmanager
def watch_saved() -> Generator[WeakSet]:
    """Give the set of all that autograd keeps; what it lets go of leaves the set."""
    kept: WeakSet[SavedTensor] = WeakSet()

    def pack(tensor: Tensor) -> SavedTensor:
        saved = SavedTensor(tensor)
        kept.add(saved)
        return saved

    with saved_tensors_hooks(pack, lambda saved: saved.tensor):
        yield kept


def kilobytes(kept: WeakSet, present: Iterable[Tensor]) -> float:
    """Return the memory that is kept, each piece once, without what is there anyway."""
    storages = [saved.tensor.untyped_storage() for saved in kept]
    sizes = {storage.data_ptr(): storage.nbytes() for storage in storages}
    known = {tensor.untyped_storage().data_ptr() for tensor in present}
    return sum(size for address, size in sizes.items() if address not in known) / 1e3


def memory_of_evaluation(network: nn.Module, batches: list[tuple[Tensor, Tensor]], way: str) -> list[float]:
    """Return the kilobytes kept after each batch of an evaluation that adds up the loss in one of the WAYS.

    Weights and data do not count: they are there anyway.
    """
    total, sizes, present = torch.zeros(()), [], [*network.parameters(), *chain.from_iterable(batches)]
    with watch_saved() as kept, torch.set_grad_enabled(way != "no_grad"):
        for pixels, labels in batches:
            loss = functional.cross_entropy(network(pixels), labels)
            total = total + (loss.item() if way == "total += loss.item()" else loss)
            sizes.append(kilobytes(kept, present))
    return sizes


def make_network(hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def train(
    config: Config, batches: list[tuple[Tensor, Tensor]], *, zero_grad: bool = True, momentum: float = 0.0
) -> list[float]:
    """Return the loss of each step of SGD, in float64."""
    seed_everything(config.seed)
    network = make_network(config.hidden).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=config.learning_rate, momentum=momentum)
    losses = []
    for step in range(config.steps):
        pixels, labels = batches[step % len(batches)]
        loss = functional.cross_entropy(network(pixels.double()), labels)
        if zero_grad:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main(config: Config) -> Results:
    pixels, labels = load_flat_digits()
    parts = [pixels.split(config.batch_size), labels.split(config.batch_size)]
    batches = list(zip(*parts, strict=True))[: config.batches]
    seed_everything(config.seed)
    network = make_network(config.hidden).eval()
    kept = {way: memory_of_evaluation(network, batches, way) for way in WAYS}
    for way, sizes in kept.items():
        print(f"{way:<24}{sizes[0]:8.1f} kB kept after one batch, {sizes[-1]:8.1f} kB after {config.batches}")
    losses = {
        "with zero_grad": train(config, batches),
        "without zero_grad": train(config, batches, zero_grad=False),
        "momentum 1": train(config, batches, momentum=1.0),
    }
    for name, by_step in losses.items():
        print(f"{name:<24}loss {by_step[-1]:.3f} after {config.steps} steps, at most {max(by_step):.3f}")
    pairs = zip(losses["without zero_grad"], losses["momentum 1"], strict=True)
    return Results(
        kilobytes=kept,
        losses=losses,
        differs_from_momentum_one=max(abs(forgotten - momentum) for forgotten, momentum in pairs),
    )


def plot(results: Results) -> Figure:
    """Draw the memory by batch of an evaluation, and the training loss with and without zero_grad."""
    figure, (left, right) = new_figure(width=10, columns=2)
    for (way, sizes), marker in zip(results.kilobytes.items(), "so^", strict=True):
        left.plot(range(1, len(sizes) + 1), sizes, marker=marker, label=way)
    left.set(xlabel="batches evaluated", ylabel="kilobytes kept for a backward pass")
    left.legend()
    for name in ("with zero_grad", "without zero_grad"):
        right.plot(range(1, len(results.losses[name]) + 1), results.losses[name], label=name)
    right.set(xlabel="training step", ylabel="loss of the batch", ylim=(0, None))
    right.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"kilobytes.*": EXACT})
