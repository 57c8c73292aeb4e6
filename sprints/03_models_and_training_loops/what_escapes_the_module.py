"""What escapes nn.Module? Five ways to write a model that runs, says nothing, and is wrong.

    uv run sprints/03_models_and_training_loops/what_escapes_the_module.py

Each mistake is made and measured beside the right way. Theory: notes/03_modules.md
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.digits import Digits, load_flat_digits
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 200  # optimizer steps


@dataclass(frozen=True)
class Mistake:
    """A mistake: what was measured, with it and without."""

    measured: str
    wrong: float
    right: float


@dataclass(frozen=True)
class Results:
    cases: dict[str, Mistake]


class Classifier(nn.Module):
    """Two hidden layers; the mistake is the container that holds them."""

    def __init__(self, container: Callable = nn.ModuleList) -> None:
        super().__init__()
        self.hidden = container([nn.Linear(64, 64), nn.Linear(64, 64)])
        self.output = nn.Linear(64, 10)

    def forward(self, pixels: Tensor) -> Tensor:
        for layer in self.hidden:
            pixels = layer(pixels).relu()
        return self.output(pixels)


class Standardized(nn.Module):
    """A linear classifier of standardised pixels; the mistake is to keep the mean as a plain attribute."""

    def __init__(self, mean: Tensor, *, as_buffer: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)
        if as_buffer:
            self.register_buffer("mean", mean)
        else:
            self.mean = mean

    def forward(self, pixels: Tensor) -> Tensor:
        return self.linear(10 * (pixels - self.mean))


def train(model: nn.Module, digits: Digits, steps: int, optimizer: torch.optim.Optimizer | None = None) -> nn.Module:
    """Train on all digits at once."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(digits[0]), digits[1]).backward()
        optimizer.step()
    return model


@torch.no_grad()
def accuracy(model: nn.Module, digits: Digits) -> float:
    return (model(digits[0]).argmax(-1) == digits[1]).double().mean().item()


def layers_in_a_list() -> Mistake:
    wrong, right = (sum(p.numel() for p in Classifier(container).parameters()) for container in (list, nn.ModuleList))
    return Mistake("parameters that an optimizer gets", wrong, right)


def state_in_an_attribute(digits: Digits, steps: int) -> Mistake:
    def after_loading(as_buffer: bool) -> float:
        trained = train(Standardized(digits[0].mean(0), as_buffer=as_buffer), digits, steps)
        loaded = Standardized(torch.zeros(64), as_buffer=as_buffer)
        loaded.load_state_dict(trained.state_dict())
        return accuracy(loaded, digits)

    return Mistake("accuracy of the model that was saved and loaded", after_loading(False), after_loading(True))


def snapshot_without_copy(digits: Digits, steps: int) -> Mistake:
    model = train(Classifier(), digits, steps)
    kept, copied = model.state_dict(), copy.deepcopy(model.state_dict())
    after = train(model, digits, 1).state_dict()["output.weight"]
    step = (after - copied["output.weight"]).norm()
    back, back_from_copy = ((after - state["output.weight"]).norm() / step for state in (kept, copied))
    return Mistake("steps of training that loading the kept state undoes", back.item(), back_from_copy.item())


def layer_replaced_after_the_optimizer(digits: Digits, steps: int) -> Mistake:
    def moved(replace_first: bool) -> float:
        model = Classifier()
        optimizer = None if replace_first else torch.optim.Adam(model.parameters(), lr=1e-3)
        model.output = nn.Linear(64, 10)
        before = model.output.weight.detach().clone()
        train(model, digits, steps, optimizer)
        return (model.output.weight - before).norm().item()

    return Mistake("distance that the new layer's weights moved", moved(False), moved(True))


def forward_called_directly(digits: Digits) -> Mistake:
    model, calls = Classifier(), {"forward": 0, "call": 0}
    for name, function in (("forward", model.forward), ("call", model)):
        handle = model.register_forward_hook(lambda *_, name=name: calls.update({name: calls[name] + 1}))
        function(digits[0])
        handle.remove()
    return Mistake("calls of a hook", calls["forward"], calls["call"])


def main(config: Config) -> Results:
    seed_everything(config.seed)
    digits = load_flat_digits()
    cases = {
        "layers in a list": layers_in_a_list(),
        "state in an attribute": state_in_an_attribute(digits, config.steps),
        "snapshot without copy": snapshot_without_copy(digits, config.steps),
        "layer replaced after the optimizer": layer_replaced_after_the_optimizer(digits, config.steps),
        "forward called directly": forward_called_directly(digits),
    }
    for name, case in cases.items():
        print(f"{name:<36}{case.measured}: {case.wrong:.4g} instead of {case.right:.4g}")
    return Results(cases)


if __name__ == "__main__":
    run(main, Config, tolerance={"cases.state in *": TRAINED, "cases.layer replaced *": TRAINED})
