"""What do SGD, momentum, Nesterov, Adam and AdamW do to a parameter, and are ours PyTorch's?

    uv run sprints/03_models_and_training_loops/optimizers.py

Each trains the same small network on the same batches of digits in float64, once as written here and once from
torch.optim; after every step all weights must agree. Theory: notes/06_optimizers.md
"""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.digits import load_flat_digits
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: PositiveInt = 32  # hidden units
    batch_size: PositiveInt = 64  # images of a batch
    steps: PositiveInt = 100  # optimizer steps


@dataclass(frozen=True)
class Results:
    differences: dict[str, list[float]]
    losses: dict[str, list[float]]
    initial_loss: float
    moved: dict[str, float]
    adam_and_adamw_apart: float


class SGD:
    """Gradient descent with momentum: v <- momentum v + g, then w <- w - rate v.

    Nesterov's variant steps along g + momentum v instead. With weight decay, g is the gradient of
    loss + decay / 2 |w|^2.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        self.parameters = list(parameters)
        self.lr, self.momentum, self.nesterov, self.weight_decay = lr, momentum, nesterov, weight_decay
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            if parameter.grad is None:
                continue
            gradient = parameter.grad + self.weight_decay * parameter
            velocity.copy_(self.momentum * velocity + gradient)
            parameter -= self.lr * (gradient + self.momentum * velocity if self.nesterov else velocity)


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1), and AdamW (Loshchilov & Hutter 2019, algorithm 2) with `decoupled`.

    m <- b1 m + (1 - b1) g and v <- b2 v + (1 - b2) g^2 are running means that start at zero; divided by 1 - b^t they
    are unbiased. Then w <- w - rate m / (sqrt(v) + eps). Weight decay is part of g in Adam; AdamW shrinks w itself.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        self.parameters = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay, self.decoupled = lr, betas, eps, weight_decay, decoupled
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.steps = [0] * len(self.parameters)

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        beta1, beta2 = self.betas
        for index, (parameter, mean, square) in enumerate(zip(self.parameters, self.means, self.squares, strict=True)):
            if parameter.grad is None:
                continue
            self.steps[index] += 1
            gradient = parameter.grad
            if self.decoupled:
                parameter *= 1 - self.lr * self.weight_decay
            else:
                gradient = gradient + self.weight_decay * parameter
            mean.copy_(beta1 * mean + (1 - beta1) * gradient)
            square.copy_(beta2 * square + (1 - beta2) * gradient**2)
            unbiased_mean = mean / (1 - beta1 ** self.steps[index])
            unbiased_square = square / (1 - beta2 ** self.steps[index])
            parameter -= self.lr * unbiased_mean / (unbiased_square.sqrt() + self.eps)


# name: our class, PyTorch's, the settings that both take, and what ours is told besides
PAIRS: dict[str, tuple[Callable, Callable, dict[str, Any], dict[str, Any]]] = {
    "SGD": (SGD, torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.01}, {}),
    "momentum": (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}, {}),
    "Nesterov": (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}, {}),
    "Adam": (Adam, torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.01}, {}),
    "AdamW": (Adam, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.01}, {"decoupled": True}),
}


def make_network(hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(64, hidden), nn.Tanh(), nn.Linear(hidden, 10)).double()


def distance(network: nn.Module, other: nn.Module) -> float:
    """Return the largest difference between two networks' weights."""
    pairs = zip(network.parameters(), other.parameters(), strict=True)
    return max((first - second).abs().max().item() for first, second in pairs)


def take_step(network: nn.Module, optimizer: Any, pixels: Tensor, labels: Tensor) -> float:
    """Take one step and return the loss before it."""
    network.zero_grad()
    loss = functional.cross_entropy(network(pixels), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    pixels, labels = load_flat_digits()
    pixels = pixels.double()
    batches = torch.randint(len(pixels), (config.steps, config.batch_size), generator=generator)
    start, trained = make_network(config.hidden), {}
    differences: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    for name, (our_class, their_class, settings, ours_besides) in PAIRS.items():
        ours, theirs = copy.deepcopy(start), copy.deepcopy(start)
        our_optimizer = our_class(ours.parameters(), **settings, **ours_besides)
        their_optimizer = their_class(theirs.parameters(), **settings)
        differences[name], losses[name], trained[name] = [], [], ours
        for batch in batches:
            losses[name].append(take_step(ours, our_optimizer, pixels[batch], labels[batch]))
            take_step(theirs, their_optimizer, pixels[batch], labels[batch])
            differences[name].append(distance(ours, theirs))
        print(
            f"{name:<10} after {config.steps} steps: loss {losses[name][-1]:.3f}, weights moved by up to "
            f"{distance(ours, start):.2f} and differ from torch.optim's by up to {max(differences[name]):.1e}"
        )
    return Results(
        differences=differences,
        losses=losses,
        initial_loss=math.log(10),
        moved={name: distance(network, start) for name, network in trained.items()},
        adam_and_adamw_apart=distance(trained["Adam"], trained["AdamW"]),
    )


if __name__ == "__main__":
    run(main, Config)
