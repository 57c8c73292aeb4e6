"""Adapters of one model made into one: the sum of their changes, which is exact, or of their factors, which is not.

w_1 B_1 A_1 + w_2 B_2 A_2 = [w_1 B_1, w_2 B_2] [A_1; A_2]        ranks add up; peft calls it "cat"
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from shared.nn.adapters import inject, layers_of
from shared.nn.lora import LoRAConfig, LoRALayer


@torch.no_grad()
def add_changes(model: nn.Module, names: Sequence[str], weights: Sequence[float], name: str) -> None:
    """Give a model an adapter whose change is a weighted sum of others' changes, and activate it.

    Args:
        model: has the adapters, at the same modules.
        names: of the adapters.
        weights: one each: (1, 1) adds them up, (0.5, 0.5) takes their mean.
        name: of the new adapter.

    Raises:
        ValueError: as many weights as adapters are needed, or adapters stand at different modules.
    """
    configs = _configs(model, names, weights)
    rank = sum(config.rank for config in configs)
    for layer in _new(model, configs[0].targets, rank, name).values():
        layer.down[name].copy_(torch.cat([layer.down[other] for other in names]))
        parts = [
            weight * layer.configs[other].scaling * layer.up[other]
            for other, weight in zip(names, weights, strict=True)
        ]
        layer.up[name].copy_(torch.cat(parts, dim=1))


@torch.no_grad()
def add_factors(model: nn.Module, names: Sequence[str], weights: Sequence[float], name: str) -> None:
    """Give a model an adapter whose A and B are weighted sums of others' A and B: what looks like a sum and is none.

    Each factor gets the root of weight times scaling, as in peft's "linear". The product of two sums has cross terms,
    B_1 A_2 and B_2 A_1, of adapters that never met.

    Raises:
        ValueError: as in `add_changes`; also ranks that differ, and weights below 0, which have no root.
    """
    configs = _configs(model, names, weights)
    if len({config.rank for config in configs}) > 1 or min(weights) < 0:
        ranks = ", ".join(str(config.rank) for config in configs)
        raise ValueError(
            f"factors are added at one rank, with weights of 0 and more; got ranks {ranks}, {list(weights)}"
        )
    for layer in _new(model, configs[0].targets, configs[0].rank, name).values():
        roots = [(weight * layer.configs[other].scaling) ** 0.5 for other, weight in zip(names, weights, strict=True)]
        layer.down[name].copy_(_sum(layer.down[other] * root for other, root in zip(names, roots, strict=True)))
        layer.up[name].copy_(_sum(layer.up[other] * root for other, root in zip(names, roots, strict=True)))


def _sum(parts) -> Tensor:
    return torch.stack(list(parts)).sum(dim=0)


def _configs(model: nn.Module, names: Sequence[str], weights: Sequence[float]) -> list[LoRAConfig]:
    if len(names) != len(weights) or not names:
        raise ValueError(f"every adapter needs a weight; got {len(names)} adapters and {len(weights)} weights")
    places = [set(layers_of(model, name)) for name in names]
    if any(other != places[0] for other in places):
        shown = ", ".join(names)
        raise ValueError(f"adapters must stand at the same modules; {shown} do not: inject them with the same targets")
    return [next(iter(layers_of(model, name).values())).configs[name] for name in names]


def _new(model: nn.Module, targets: tuple[str, ...], rank: int, name: str) -> dict[str, LoRALayer]:
    return inject(model, LoRAConfig(targets, rank, alpha=rank), name)  # a scaling of 1
