"""Does a comparison with a library find a fault? At the start it finds few of them.

    uv run sprints/21_adapters_and_prompts/equals_peft.py

Each method is compared with peft on a tiny GPT-2 (Conv1D) and a tiny Llama (Linear): outputs, every gradient, merged
model; as it starts, and with noise in everything that is trained. Then the same with faults built in. Theory:
notes/03_directions_and_lengths.md
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from adaptation import lora_plus
from adaptation.adapted_layer import AdaptedLayer, adapted_layers, merge
from adaptation.beside_peft import TOKENS, Family, twins
from adaptation.dora import DoRALayer
from adaptation.ia3 import IA3Layer
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

METHODS = ("ia3", "vera", "lora", "dora")
FAMILIES: tuple[Family, ...] = ("gpt2", "llama")


class MergedWithoutBias(IA3Layer):
    """IA3 whose factors of outputs are folded into W, and not into b."""

    def merged(self) -> dict[str, Tensor]:
        return {"weight": super().merged()["weight"]}


class LengthsOfInputs(DoRALayer):
    """DoRA that takes the lengths along the second axis of the stored weight: in Conv1D, those of the inputs."""

    def row_lengths(self) -> Tensor:
        return self.out_by_in(self.direction()).detach().norm(dim=1)


class BiasWithALength(DoRALayer):
    """DoRA that scales the bias with the rows."""

    def forward(self, x: Tensor) -> Tensor:
        change = functional.linear(functional.linear(x, self.down), self.up) * self.scaling
        return self.length / self.row_lengths() * (self.base(x) + change)


class LengthsThatLearn(DoRALayer):
    """DoRA whose lengths |V| are no constants: the gradient of the formula, not that of the paper."""

    def row_lengths(self) -> Tensor:
        return self.direction().norm(dim=1)


# Each in every square layer (IA3: in every layer), where no shape gives it away.
FAULTS: dict[str, tuple[str, type[AdaptedLayer]]] = {
    "IA3 merged without the bias": ("ia3", MergedWithoutBias),
    "DoRA: lengths along the wrong axis of Conv1D": ("dora", LengthsOfInputs),
    "DoRA: the bias is stretched too": ("dora", BiasWithALength),
    "DoRA: the lengths are no constants to the gradient": ("dora", LengthsThatLearn),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    deviation: PositiveFloat = 0.3  # of the noise in what is trained


@dataclass(frozen=True)
class Differences:
    """Largest differences from peft."""

    outputs: float
    gradients: float
    merged: float


@dataclass(frozen=True)
class Results:
    right: dict[str, dict[str, Differences]]
    faulty: dict[str, dict[str, Differences]]


def compare(name: str, family: Family, deviation: float, kind: type[AdaptedLayer] | None = None) -> Differences:
    """Return how far a method is from peft's, with layers of a faulty kind or as it should be."""
    pair = twins(name, family, deviation)
    for layer in adapted_layers(pair.ours).values():
        if kind is not None and (layer.in_features == layer.out_features or isinstance(layer, IA3Layer)):
            layer.__class__ = kind
            if isinstance(layer, DoRALayer) and deviation == 0:
                layer.length.data.copy_(layer.row_lengths())  # a faulty layer starts with the lengths that it knows
    ours, theirs = pair.outputs()
    gradients = max(float((a - b).abs().max()) for a, b in pair.gradients().values())
    merged = (lora_plus.merge if name == "lora" else merge)(pair.ours)(input_ids=TOKENS).logits.detach()
    return Differences(float((ours - theirs).abs().max()), gradients, float((merged - theirs).abs().max()))


def main(config: Config) -> Results:
    right = {
        f"{name}, {family}": {
            "start": compare(name, family, 0.0),
            "perturbed": compare(name, family, config.deviation),
        }
        for name in METHODS
        for family in FAMILIES
    }
    faulty = {
        fault: {
            "start": compare(name, "gpt2", 0.0, kind),
            "perturbed": compare(name, "gpt2", config.deviation, kind),
        }
        for fault, (name, kind) in FAULTS.items()
    }
    for what, states in (right | faulty).items():
        print(what)
        for state, found in states.items():
            shown = ", ".join(f"{key} {value:.0e}" for key, value in vars(found).items())
            print(f"  {state}: {shown}")
    return Results(right, faulty)


if __name__ == "__main__":
    run(main, Config)
