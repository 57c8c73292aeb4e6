"""What enters the linear layers of a model: looked at, or rounded on the way in."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from shared.nn.integer_grid import dequantize, make_grid, quantize
from shared.text.batches import Batch

Sharing = Literal["tensor", "token"]


def round_activations(x: Tensor, bits: int, per: Sharing) -> Tensor:
    """Return activations (..., tokens, features) after a round trip through an affine grid.

    Args:
        x: what enters a layer.
        bits: size of the integers.
        per: "tensor" for one grid, which is what dynamic quantization does; "token" for a grid for each token.
    """
    low, high = (x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)) if per == "token" else (x.min(), x.max())
    grid = make_grid(low, high, bits, symmetric=False)
    return dequantize(quantize(x, grid), grid)


@contextmanager
def meeting_inputs(model: nn.Module, meet: Callable[[str, Tensor], Tensor | None]) -> Generator[None]:
    """Call `meet` with the name and the input of each linear layer; what it returns enters the layer instead."""

    def hook(name: str) -> Callable:
        def before(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor] | None:
            other = meet(name, inputs[0])
            return None if other is None else (other,)

        return before

    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
    handles = [module.register_forward_pre_hook(hook(name)) for name, module in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class InputSizes:
    """The sizes of a layer's inputs over all text that it was shown."""

    def __init__(self) -> None:
        self.largest = 0.0
        self.place = self.feature = 0
        self.of_tokens: list[Tensor] = []

    def add(self, x: Tensor) -> None:
        """Add an input (batch, tokens, features)."""
        sizes = x.detach().abs()
        of_tokens = sizes.amax(-1)  # (batch, tokens): the largest feature of each
        if (largest := of_tokens.max().item()) > self.largest:
            self.largest = largest
            where = torch.unravel_index(sizes.argmax(), sizes.shape)
            self.place, self.feature = int(where[1]), int(where[2])
        self.of_tokens.append(of_tokens.flatten())

    def usual(self) -> float:
        """Return the median over tokens of a token's largest feature."""
        return torch.cat(self.of_tokens).median().item()


def round_all_but(x: Tensor, bits: int, per: Sharing, kept: Tensor) -> Tensor:
    """Return activations (..., tokens, features) rounded but for some features, which stay as they are.

    The features that are kept do not count for the range of the others: that is what they are kept for.

    Args:
        x: what enters a layer.
        bits: size of the integers.
        per: what shares a grid, as for `round_activations`.
        kept: True for each feature that stays as it is.
    """
    return torch.where(kept, x, round_activations(x.masked_fill(kept, 0), bits, per))


@torch.no_grad()
def largest_inputs(model: nn.Module, batches: Iterable[Batch]) -> dict[str, Tensor]:
    """Return the largest size of each input feature of each linear layer, (features,), over some text."""
    largest: dict[str, Tensor] = {}

    def meet(name: str, x: Tensor) -> None:
        sizes = x.abs().flatten(0, -2).amax(0)
        largest[name] = torch.maximum(largest[name], sizes) if name in largest else sizes

    with meeting_inputs(model, meet):
        for batch in batches:
            model(input_ids=batch.tokens, use_cache=False)
    return largest
