"""What is LoRA? One layer, its adapter, what it can learn and how it disappears into the weight.

    uv run sprints/13_peft_lora/lora_by_hand.py

A change of known spectrum has to be learnt; the best possible one of each rank is known from its singular values.
Theory: notes/01_low_rank_adaptation.md
"""

import copy
from dataclasses import dataclass
from typing import Any

import peft
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.lora import LoRAConfig, LoRALayer, inject, layers_of, merge, unmerge
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine


@dataclass(frozen=True)
class Config(ScriptConfig):
    inputs: int = 24  # features that the layer takes
    outputs: int = 16  # features that it gives
    rank: int = 4  # rank of the adapter that is compared with peft's
    decay: float = 0.6  # each singular value of the change to learn is so many times the one before
    steps: int = 1500  # optimizer steps
    learning_rate: float = 0.02  # peak learning rate of Adam


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
    by_formula: float
    from_peft: float
    gradient_from_peft: float
    merged_from_peft: float
    merged_output: float
    unmerged_weight: float


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


def peft_twin(layer: LoRALayer, config: LoRAConfig) -> Any:
    """Return the same layer and adapter in peft."""
    base = nn.Linear(layer.in_features, layer.out_features, bias=False)
    base.load_state_dict(layer.base.state_dict())
    settings = peft.LoraConfig(r=config.rank, lora_alpha=int(config.alpha), target_modules=["0"])
    twin: Any = peft.get_peft_model(nn.Sequential(base), settings)  # its attributes are made as it runs
    adapted = twin.base_model.model[0]
    adapted.lora_A["default"].weight.data.copy_(layer.down["default"])
    adapted.lora_B["default"].weight.data.copy_(layer.up["default"])
    return twin


def largest(first: Tensor, second: Tensor) -> float:
    """Return the largest difference of two tensors."""
    return (first - second).abs().max().item()


def gradients(model: nn.Module, target: Tensor) -> list[Tensor]:
    """Return the gradients of A and B."""
    return list(torch.autograd.grad(squared_error(model, target), [p for p in model.parameters() if p.requires_grad]))


def compare(model: nn.Module, settings: LoRAConfig, target: Tensor, x: Tensor) -> dict[str, float]:
    """Return how far a trained layer is from the formula and from peft, and merged from unmerged."""
    layer = layers_of(model, "default")["0"]
    down, up, weight = layer.down["default"], layer.up["default"], layer.weight.clone()
    twin = peft_twin(layer, settings)
    output, theirs = model(x), twin(x)
    pairs = zip(gradients(model, target), gradients(twin, target), strict=True)
    found = {
        "by_formula": largest(output, x @ weight.mT + settings.alpha / settings.rank * (x @ down.mT) @ up.mT),
        "from_peft": largest(output, theirs),
        "gradient_from_peft": max(largest(ours, other) for ours, other in pairs),
    }
    merge(model)
    twin.merge_adapter()
    found["merged_from_peft"] = largest(layer.weight, twin.base_model.model[0].base_layer.weight)
    found["merged_output"] = largest(model(x), output)
    unmerge(model)
    return found | {"unmerged_weight": largest(layer.weight, weight)}


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
        model = nn.Sequential(copy.deepcopy(base))
        inject(model, LoRAConfig(("0",), rank, alpha=rank), generator=generator)
        errors.append(learn(model, target, config))
        print(f"rank {rank}: squared error {errors[-1]:.5f}, the least possible {optimum:.5f}")

    model, settings = nn.Sequential(copy.deepcopy(base)), LoRAConfig(("0",), config.rank, alpha=2 * config.rank)
    x = torch.randn(5, config.inputs, generator=generator)
    layer = inject(model, settings, generator=generator)["0"]
    change_at_start = largest(model(x), base(x))
    first = [gradient.norm().item() for gradient in gradients(model, target)]
    learn(model, target, config)
    results = Results(
        weights=layer.weight.numel(),
        adapter=sum(factor.numel() for factor in (layer.down["default"], layer.up["default"])),
        change_at_start=change_at_start,
        first_gradient_down=first[0],
        first_gradient_up=first[1],
        ranks=ranks,
        errors=errors,
        optima=optima,
        **compare(model, settings, target, x),
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
    run(main, Config, plot=plot)
