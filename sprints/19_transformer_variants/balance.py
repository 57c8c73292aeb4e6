"""What does a balance loss see, if it is taken layer by layer, and if all layers are put into one pool?

    uv run sprints/19_transformer_variants/balance.py
    uv run sprints/19_transformer_variants/balance.py --offset 4

Two layers of routers read the same random tokens. First four situations are scored; then both losses, on their own, are
followed by gradient descent from two layers that have collapsed onto different experts. Theory: notes/14_experts.md
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.mixture_of_experts import Routing, balance_loss, check_experts, pooled_balance_loss, route

Loss = Callable[[Sequence[Routing]], Tensor]
LOSSES: dict[str, Loss] = {"layer by layer": balance_loss, "one pool": pooled_balance_loss}


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: PositiveInt = 512  # random tokens
    features: AtLeastTwo = 8  # features of a token; the first is 1, so that a router can prefer an expert always
    experts: AtLeastTwo = 4  # of each layer
    top_k: PositiveInt = 2  # experts that a token is sent to
    offset: PositiveFloat = 3.0  # by how much the scores of the preferred experts are raised
    steps: PositiveInt = 200  # steps of gradient descent on a balance loss alone
    rate: PositiveFloat = 1.0  # learning rate

    def check(self) -> None:
        check_experts(self.experts, self.top_k)
        if 2 * self.top_k > self.experts:
            raise ValueError(
                "two layers that complement each other need twice top_k experts; got "
                f"--top-k {self.top_k} of --experts {self.experts}: give more experts"
            )


@dataclass(frozen=True)
class Values:
    """What a situation is worth to each loss."""

    layer_by_layer: float
    one_pool: float
    transformers: float


@dataclass(frozen=True)
class Descent:
    """The loss that was followed, and the loads of each layer's experts before and after."""

    losses: list[float]
    before: list[list[float]]
    after: list[list[float]]


@dataclass(frozen=True)
class Results:
    experts: int
    top_k: int
    situations: dict[str, Values]
    descents: dict[str, Descent]


def routers(config: Config, preferred: Sequence[Sequence[int]], generator: torch.Generator) -> list[nn.Parameter]:
    """Return the router weights of each layer; the scores of its preferred experts are raised for every token."""
    weights = []
    for experts in preferred:
        weight = torch.randn(config.experts, config.features, generator=generator) / config.features**0.5
        weight[:, 0] = 0.0
        weight[list(experts), 0] = config.offset
        weights.append(nn.Parameter(weight))
    return weights


def routing_of(config: Config, tokens: Tensor, weights: Sequence[Tensor]) -> list[Routing]:
    return [route(tokens @ weight.T, config.top_k) for weight in weights]


def loads(config: Config, layers: Sequence[Routing]) -> list[list[float]]:
    """Return the share of tokens that are sent to each expert of each layer."""
    counts = [torch.bincount(layer.chosen.flatten(), minlength=config.experts) for layer in layers]
    return [(count / config.tokens).tolist() for count in counts]


def library_loss(config: Config, layers: Sequence[Routing]) -> float:
    """Return what transformers' own function says."""
    from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

    logits: Any = tuple(layer.logits for layer in layers)
    return torch.as_tensor(load_balancing_loss_func(logits, config.experts, config.top_k)).item()


def descend(config: Config, tokens: Tensor, weights: Sequence[nn.Parameter], loss: Loss) -> Descent:
    """Follow the gradient of a balance loss alone."""
    optimizer = torch.optim.SGD(weights, lr=config.rate)
    before, losses = loads(config, routing_of(config, tokens, weights)), []
    for _ in range(config.steps):
        optimizer.zero_grad()
        found = loss(routing_of(config, tokens, weights))
        found.backward()
        optimizer.step()
        losses.append(found.item())
    return Descent(losses, before, loads(config, routing_of(config, tokens, weights)))


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    tokens = torch.randn(config.tokens, config.features, generator=generator)  # (tokens, features)
    tokens[:, 0] = 1.0
    first, second = range(config.top_k), range(config.top_k, 2 * config.top_k)
    preferred = {
        "no expert is preferred": ([], []),
        "one layer prefers some experts": (first, []),
        "both layers prefer the same": (first, first),
        "each layer prefers others": (first, second),
    }
    situations = {}
    for name, experts in preferred.items():
        layers = routing_of(config, tokens, [weight.detach() for weight in routers(config, experts, generator)])
        losses = balance_loss(layers).item(), pooled_balance_loss(layers).item()
        situations[name] = Values(*losses, library_loss(config, layers))
        print(name, *(f"{kind} {number:.3f}" for kind, number in vars(situations[name]).items()), sep=", ")
    descents = {}
    for name, loss in LOSSES.items():
        weights = routers(config, (first, second), torch.Generator().manual_seed(config.seed))
        descents[name] = found = descend(config, tokens, weights, loss)
        print(f"{name}: loss {found.losses[0]:.3f} to {found.losses[-1]:.3f}, loads {found.before} to {found.after}")
    return Results(config.experts, config.top_k, situations, descents)


def plot(results: Results) -> Figure:
    """Draw the loads of both layers before, and after following each loss."""
    figure, panels = new_figure(9.6, 2.5, columns=3)
    kinds = {"before": next(iter(results.descents.values())).before} | {
        f"after: {name}": descent.after for name, descent in results.descents.items()
    }
    for panel, (title, layers) in zip(panels, kinds.items(), strict=True):
        panel.imshow(layers, cmap="Blues", vmin=0, vmax=1.6, aspect="equal")
        for layer, row in enumerate(layers):
            for expert, load in enumerate(row):
                panel.text(
                    expert, layer, f"{load:.2f}", ha="center", va="center", color="white" if load > 0.9 else "black"
                )
        panel.set(title=title, xlabel="expert", xticks=range(results.experts), yticks=range(len(layers)))
        panel.set(xticklabels=range(1, results.experts + 1), yticklabels=range(1, len(layers) + 1))
        panel.grid(False)
    panels[0].set(ylabel="layer")
    even = results.top_k / results.experts
    figure.suptitle(f"share of the tokens that each expert gets (even: {even:.2f})", fontsize=10)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"descents.*": TRAINED})
