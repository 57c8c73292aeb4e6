"""What is LoRA? One layer, its adapter, what it can learn and how it disappears into the weight.

    uv run sprints/13_peft_lora/lora_by_hand.py

A change of known spectrum has to be learnt; the best possible one of each rank is known from its singular values.
Theory: notes/01_low_rank_adaptation.md
"""

import copy
import math
from dataclasses import dataclass
from typing import Any

import peft
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.adapters import inject, merge, remove, unmerge
from shared.nn.lora import LoRAConfig
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine

ROUNDED = Tolerance(absolute=1e-5)  # differences that would be 0 with endless digits
TOLERANCE = {"errors.*": Tolerance(absolute=1e-3), "*from_*": ROUNDED, "merged_output": ROUNDED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    inputs: PositiveInt = 24  # features that the layer takes
    outputs: PositiveInt = 16  # features that it gives
    rank: PositiveInt = 4  # rank of the adapter that is compared with peft's
    decay: PositiveFraction = 0.6  # each singular value of the change to learn is so many times the one before
    steps: PositiveInt = 1500  # optimizer steps
    learning_rate: PositiveFloat = 0.02  # peak learning rate of Adam


@dataclass(frozen=True)
class Results:
    weights: int
    adapter: int
    change_at_start: float
    first_gradient_down: float
    first_gradient_up: float
    ranks: list[int]
    errors: list[float]
    optima: list[float]
    from_shared: float
    from_peft: float
    gradient_from_peft: float
    merged_from_peft: float
    merged_output: float
    unmerged_weight: float


class LoRALinear(nn.Module):
    """A linear layer whose weight W is frozen and, beside it, a change of low rank that is trained.

    h = W x + scaling * B A x        A: (rank, in), B: (out, rank), scaling = alpha / rank
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(base.weight.detach().clone(), requires_grad=False)  # W
        bound = 1 / math.sqrt(base.in_features)  # as nn.Linear is drawn
        self.down = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-bound, bound, generator=generator))  # A
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))  # B: the change begins as nothing
        self.scaling = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        # B (A x), never (B A) x: the product would be as large as W.
        return x @ self.weight.mT + x @ self.down.mT @ self.up.mT * self.scaling

    def merged(self) -> Tensor:
        """Return W + scaling * B A, the weight of a plain layer that computes the same."""
        return self.weight + self.up @ self.down * self.scaling


def target_change(config: Config, generator: torch.Generator) -> Tensor:
    """Return the change to learn: random directions, singular values 1, decay, decay squared, ..."""
    left, _, right = torch.linalg.svd(
        torch.randn(config.outputs, config.inputs, generator=generator), full_matrices=False
    )
    return left * config.decay ** torch.arange(left.shape[1]) @ right  # (outputs, inputs)


def squared_error(model: nn.Module, target: Tensor) -> Tensor:
    """Return the squared error of the weight, read off from what the layer does to each unit vector."""
    return (model(torch.eye(target.shape[1])) - target.mT).square().sum()


def learn(model: nn.Module, target: Tensor, config: Config) -> float:
    """Train the adapter, and return the squared error that is left."""
    (optimizer,) = make_optimizers(model, learning_rate=config.learning_rate)
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.learning_rate * warmup_cosine(step, steps=config.steps, warmup=20)
        optimizer.zero_grad()
        squared_error(model, target).backward()
        optimizer.step()
    return squared_error(model, target).item()


def largest(first: Tensor, second: Tensor) -> float:
    """Return the largest difference of two tensors."""
    return (first - second).abs().max().item()


def gradients(model: nn.Module, target: Tensor) -> list[Tensor]:
    """Return the gradients of A and B."""
    return list(torch.autograd.grad(squared_error(model, target), [p for p in model.parameters() if p.requires_grad]))


def twins(layer: LoRALinear, base: nn.Linear, alpha: int) -> tuple[nn.Module, Any]:
    """Return the same layer and adapter from `shared/nn/lora.py`, and from peft."""
    rank = len(layer.down)
    ours = nn.Sequential(copy.deepcopy(base))
    adapted = inject(ours, LoRAConfig(("0",), rank, alpha))["0"]
    adapted.down["default"].data.copy_(layer.down)
    adapted.up["default"].data.copy_(layer.up)
    settings = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=["0"])
    theirs: Any = peft.get_peft_model(nn.Sequential(copy.deepcopy(base)), settings)
    theirs.base_model.model[0].lora_A["default"].weight.data.copy_(layer.down)
    theirs.base_model.model[0].lora_B["default"].weight.data.copy_(layer.up)
    return ours, theirs


def compare(layer: LoRALinear, base: nn.Linear, alpha: int, target: Tensor, x: Tensor) -> dict[str, float]:
    """Return how far a trained layer is from its twins, and from itself when it is merged."""
    ours, theirs = twins(layer, base, alpha)
    output = layer(x)
    pairs = zip(gradients(layer, target), gradients(theirs, target), strict=True)
    differences = {
        "from_shared": largest(output, ours(x)),
        "from_peft": largest(output, theirs(x)),
        "gradient_from_peft": max(largest(gradient, other) for gradient, other in pairs),
    }
    theirs.merge_adapter()
    merge(ours)
    unmerge(ours)
    remove(ours)  # what is left is the plain layer
    return differences | {
        "merged_from_peft": largest(layer.merged(), theirs.base_model.model[0].base_layer.weight),
        "merged_output": largest(x @ layer.merged().mT, output),
        "unmerged_weight": largest(ours.get_parameter("0.weight"), base.weight),
    }


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    change = target_change(config, generator)
    base = nn.Linear(config.inputs, config.outputs, bias=False)
    target = base.weight.detach() + change
    # Eckart & Young 1936: the best change of rank r keeps the r largest singular values.
    ranks = list(range(1, min(*change.shape, 8) + 1))
    optima = [torch.linalg.svdvals(change)[rank:].square().sum().item() for rank in ranks]
    errors = []
    for rank, optimum in zip(ranks, optima, strict=True):
        errors.append(learn(LoRALinear(base, rank, rank, generator), target, config))
        print(f"rank {rank}: squared error {errors[-1]:.5f}, the least possible {optimum:.5f}")

    x = torch.randn(5, config.inputs, generator=generator)
    alpha = 2 * config.rank
    layer = LoRALinear(base, config.rank, alpha, generator)
    change_at_start = largest(layer(x), base(x))
    first = [gradient.norm().item() for gradient in gradients(layer, target)]
    learn(layer, target, config)
    results = Results(
        weights=layer.weight.numel(),
        adapter=layer.down.numel() + layer.up.numel(),
        change_at_start=change_at_start,
        first_gradient_down=first[0],
        first_gradient_up=first[1],
        ranks=ranks,
        errors=errors,
        optima=optima,
        **compare(layer, base, alpha, target, x),
    )
    print(f"the same as peft within {max(results.from_peft, results.merged_from_peft):.1e}")
    return results


def plot(results: Results) -> Figure:
    """Draw what is left of the change by rank, on top of the least that can be left."""
    figure, axes = new_figure(6, 3.5)
    axes.plot(results.ranks, results.optima, color="black", label="least possible: the singular values left out")
    axes.plot(results.ranks, results.errors, "o", label="LoRA, trained")
    axes.set(xlabel="rank", ylabel="squared error of the weight", yscale="log", xticks=results.ranks)
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
