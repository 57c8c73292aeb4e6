"""Checks of `adapted`: the example of the note, and peft's layer."""

from typing import Any

import peft
import torch
from torch import Tensor, nn

from shared.lab.checking import expect


def compare(learner: Any, x: Tensor, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> None:
    rank, frozen = len(down), x @ weight.mT
    added = x @ down.mT @ up.mT
    mistakes = {
        "The change is not scaled: multiply it by alpha / rank.": frozen + added,
        "The change is scaled by alpha; divide by the rank as well.": frozen + alpha * added,
        "The whole output is scaled. Only the change is; what W gives stays.": alpha / rank * (frozen + added),
        "The change is scaled by rank / alpha, upside down.": frozen + rank / alpha * added,
        "The change is scaled by the root of the rank: that is rsLoRA.": frozen + alpha / rank**0.5 * added,
        "The frozen path is missing: add W x.": alpha / rank * added,
        "Only the frozen path is there: add the change.": frozen,
    }
    given = {"x": x, "weight": weight, "down": down, "up": up, "alpha": alpha}
    expect(learner.adapted, given, frozen + alpha / rank * added, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """W x + 2 B A x is (5, -3)."""
    weight, down = torch.tensor([[1.0, 0, 2], [0, 1, -1]]), torch.tensor([[1.0, 0, 1]])
    compare(learner, torch.tensor([[1.0, 2, 1]]), weight, down, torch.tensor([[0.5], [-1.0]]), 2.0)


def check_rank_3_of_a_square_weight(learner: Any) -> None:
    """A square weight and a batch: what is the wrong way round has the right shape."""
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.randn(4, 4, generator=generator), torch.randn(4, 4, generator=generator)
    down, up = torch.randn(3, 4, generator=generator), torch.randn(4, 3, generator=generator)
    expected = x @ weight.mT + 2 * x @ down.mT @ up.mT
    mistakes = {"W is turned the wrong way: its rows belong to the outputs.": x @ weight + 2 * x @ down.mT @ up.mT}
    given = {"x": x, "weight": weight, "down": down, "up": up, "alpha": 6.0}
    expect(learner.adapted, given, expected, mistakes)


def check_it_is_the_layer_of_peft(learner: Any) -> None:
    """peft computes the same from the same numbers."""
    generator = torch.Generator().manual_seed(1)
    base = nn.Linear(5, 3, bias=False)
    model: Any = peft.get_peft_model(nn.Sequential(base), peft.LoraConfig(r=2, lora_alpha=8, target_modules=["0"]))
    layer = model.base_model.model[0]
    down, up = torch.randn(2, 5, generator=generator), torch.randn(3, 2, generator=generator)
    layer.lora_A["default"].weight.data.copy_(down)
    layer.lora_B["default"].weight.data.copy_(up)
    layer.base_layer.weight.data.copy_(torch.randn(3, 5, generator=generator))
    x = torch.randn(2, 5, generator=generator)
    given = {"x": x, "weight": layer.base_layer.weight.detach().clone(), "down": down, "up": up, "alpha": 8.0}
    expect(learner.adapted, given, model(x).detach())
