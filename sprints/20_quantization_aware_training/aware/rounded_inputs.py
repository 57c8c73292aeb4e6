"""Inputs of linear layers on a grid: with a step for each token, or one step for all that is fixed before or learnt.

Weights are known when they are rounded. Inputs depend on the text, so their step is either computed anew for each
token, or fixed beforehand on some text (calibration), and then it may be learnt like any other parameter. Grids are
symmetric. Theory: notes/09_activations_and_outliers.md
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aware.fake_quantize import activations_per_token, fake_quantize, learned_step, least_squares_step
from aware.least_squares import SMALLEST_STEP, ends
from aware.prepare import is_conv1d
from shared.text.batches import Batch


class Inputs(NamedTuple):
    """What came into a layer: some numbers, the largest size, and the median over tokens of a token's largest."""

    sample: Float[Tensor, " numbers"]
    largest: float
    usual: float


class InputQuantizer(nn.Module):
    """Rounds what comes into a layer.

    Args:
        bits: of an integer.
        step: one for all inputs (default: each token has its own, from its largest number).
        learned: the step is a parameter.

    Raises:
        ValueError: bits that no grid has, or a step to be learnt that is not given.
    """

    step: Tensor | None

    def __init__(self, bits: int, step: float | None = None, *, learned: bool = False) -> None:
        super().__init__()
        if not 2 <= bits <= 8:
            raise ValueError(f"inputs have 2 to 8 bits; got {bits}: with 1 bit there are only -1 and 0")
        if learned and step is None:
            raise ValueError("a learned step needs a start: give a step, as calibration finds it")
        self.bits, self.learned = bits, learned
        if step is None:
            self.step = None
        elif learned:
            self.step = nn.Parameter(torch.tensor([step]))
        else:
            self.register_buffer("step", torch.tensor([step]))

    def forward(self, x: Float[Tensor, "... features"]) -> Float[Tensor, "... features"]:
        """Return the inputs after a round trip through integers."""
        if self.step is None:
            return activations_per_token(x, self.bits)
        if not self.learned:
            return fake_quantize(x, self.step, 0, *ends(self.bits))
        self.step.data.clamp_(min=SMALLEST_STEP)
        return learned_step(x, self.step, *ends(self.bits))


def linear_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the linear layers of a model by name, Conv1D of transformers included."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear) or is_conv1d(layer)}


@torch.no_grad()
def meet_inputs(
    model: nn.Module, batches: Iterable[Batch], generator: torch.Generator, numbers: int = 2_000
) -> dict[str, Inputs]:
    """Return what comes into each linear layer when a model reads some text.

    Args:
        model: takes token ids; inputs that are rounded are met before that.
        batches: the text, without padding, whose numbers would count.
        generator: draws the sample.
        numbers: of a layer's inputs that are kept from each batch.
    """
    samples: dict[str, list[Tensor]] = {}
    of_tokens: dict[str, list[Tensor]] = {}

    def look(name: str, x: Tensor) -> None:
        flat = x.flatten()
        chosen = torch.randint(len(flat), (min(numbers, len(flat)),), generator=generator)
        samples.setdefault(name, []).append(flat[chosen])
        of_tokens.setdefault(name, []).append(x.abs().amax(-1).flatten())

    handles = [
        # In front of what rounds them: what it leaves has no outliers.
        layer.register_forward_pre_hook(lambda _, inputs, name=name: look(name, inputs[0]), prepend=True)
        for name, layer in linear_layers(model).items()
    ]
    try:
        for batch in batches:
            model(batch.tokens)
    finally:
        for handle in handles:
            handle.remove()
    sizes = {name: torch.cat(found) for name, found in of_tokens.items()}
    return {
        name: Inputs(torch.cat(found), sizes[name].max().item(), sizes[name].median().item())
        for name, found in samples.items()
    }


def steps_of(inputs: dict[str, Inputs], bits: int, *, widest: bool) -> dict[str, float]:
    """Return a step for each layer: the one that reaches its largest input, or the one with the least squared error."""
    lowest, highest = ends(bits)
    if widest:
        return {name: 2 * met.largest / (highest - lowest) for name, met in inputs.items()}
    return {name: least_squares_step(met.sample[None], lowest, highest).item() for name, met in inputs.items()}


def round_inputs(
    model: nn.Module, bits: int, steps: dict[str, float] | None = None, *, learned: bool = False
) -> list[nn.Parameter]:
    """Round the inputs of all linear layers of a model from now on, and return the steps that are to be learnt.

    Args:
        model: is changed in place: each layer gets a part `input_quantizer`.
        bits: of an integer.
        steps: one for each layer, by name (default: each token has its own).
        learned: steps are parameters.

    Raises:
        ValueError: no linear layers, inputs that are rounded already, or a layer without a step.
    """
    layers = linear_layers(model)
    if not layers:
        raise ValueError(f"there are no inputs to round: {type(model).__name__} has no linear layers")
    if any(hasattr(layer, "input_quantizer") for layer in layers.values()):
        raise ValueError("the inputs of this model are rounded already: take a model as it was loaded")
    if steps is not None and (missing := sorted(layers.keys() - steps.keys())):
        raise ValueError(f"each layer needs a step, {missing[0]} has none: calibrate with this model")
    for name, layer in layers.items():
        quantizer = InputQuantizer(bits, None if steps is None else steps[name], learned=learned)
        layer.add_module("input_quantizer", quantizer.to(next(layer.parameters()).device))
        layer.register_forward_pre_hook(_round_first)
    return [parameter for layer in layers.values() for parameter in layer.get_submodule("input_quantizer").parameters()]


def _round_first(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (layer.get_submodule("input_quantizer")(inputs[0]), *inputs[1:])
