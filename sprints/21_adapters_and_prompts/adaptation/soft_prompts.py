"""Vectors that stand before a text where words would: as inputs of the first layer, or as keys and values of every one.

`SoftPrompt` is prompt tuning (Lester et al. 2021), `EncodedPrompt` P-tuning (Liu et al. 2021), `Prefix` prefix tuning
(Li & Liang 2021), `EncodedPrefix` its reparametrisation. `adaptation/prompts.py` puts them before a model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

KeysAndValues = tuple[Float[Tensor, "heads prefix head_dim"], Float[Tensor, "heads prefix head_dim"]]


@dataclass(frozen=True)
class KeyValueSizes:
    """What a model keeps of a token: L layers, each with keys and values of so many heads."""

    layers: int
    heads: int
    head_dim: int

    @property
    def numbers(self) -> int:
        """Return 2 L heads head_dim, the numbers of one place of a prefix."""
        return 2 * self.layers * self.heads * self.head_dim


class SoftVectors(nn.Module):
    """What prompts and prefixes have in common: a row of trained numbers for each place.

    Args:
        start: the rows that training begins with, (places, numbers).
    """

    def __init__(self, start: Float[Tensor, "places numbers"]) -> None:
        super().__init__()
        self.vectors = nn.Parameter(start.clone())
        self.undo: list[Callable[[], Any]] = []  # what takes it out of a model again


class SoftPrompt(SoftVectors):
    """Prompt tuning (Lester et al. 2021, section 2): P vectors in the place of word vectors, P d parameters."""

    def forward(self) -> Float[Tensor, "prompt d_model"]:
        """Return the vectors."""
        return self.vectors


class EncodedPrompt(SoftVectors):
    """P-tuning (Liu et al. 2021, section 3): a network makes the vectors, and is thrown away after training.

    The paper has an LSTM before the network; this is the one without, which peft takes unless it is told otherwise.

    Args:
        start: what the network reads, (prompt, d_model).
        hidden: features between its layers.
        generator: draws its weights.
    """

    def __init__(
        self, start: Float[Tensor, "prompt d_model"], hidden: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__(start)
        d_model = start.shape[1]
        self.network = nn.Sequential(
            nn.Linear(d_model, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, d_model)
        )
        draw_as_linear(self.network, generator)

    def forward(self) -> Float[Tensor, "prompt d_model"]:
        """Return what the network makes of its inputs."""
        return self.network(self.vectors)


class Prefix(SoftVectors):
    """Prefix tuning (Li & Liang 2021, section 4.2): P keys and values in each of L layers, 2 L P d parameters.

    Args:
        start: the numbers that training begins with, a row a place: keys and values of layer 1, then of layer 2, ...
        sizes: how a row is cut.
    """

    def __init__(self, start: Float[Tensor, "prefix numbers"], sizes: KeyValueSizes) -> None:
        super().__init__(start)
        self.sizes = sizes

    def forward(self) -> Float[Tensor, "prefix numbers"]:
        """Return the numbers of each place; `cut_into_layers` makes keys and values of them."""
        return self.vectors


class EncodedPrefix(SoftVectors):
    """A prefix that a network makes (Li & Liang 2021, section 4.3); after training only what it made is kept.

    Args:
        start: what the network reads, (prefix, width); peft's width is that of the keys of one layer.
        hidden: features between its two layers.
        sizes: how what it makes is cut.
        generator: draws its weights.
    """

    def __init__(
        self,
        start: Float[Tensor, "prefix width"],
        hidden: int,
        sizes: KeyValueSizes,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(start)
        self.sizes = sizes
        self.network = nn.Sequential(nn.Linear(start.shape[1], hidden), nn.Tanh(), nn.Linear(hidden, sizes.numbers))
        draw_as_linear(self.network, generator)

    def forward(self) -> Float[Tensor, "prefix numbers"]:
        """Return the numbers of each place."""
        return self.network(self.vectors)


def cut_into_layers(numbers: Float[Tensor, "prefix numbers"], sizes: KeyValueSizes) -> list[KeysAndValues]:
    """Return the keys and values of each layer, cut into heads."""
    parts = numbers.unflatten(1, (sizes.layers, 2, sizes.heads, sizes.head_dim))
    return [(layer[0], layer[1]) for layer in parts.permute(1, 2, 3, 0, 4)]  # (2, heads, prefix, head_dim) each


def join_layers(layers: list[KeysAndValues]) -> Float[Tensor, "prefix numbers"]:
    """Return keys and values of all layers as a row a place: what `cut_into_layers` undoes."""
    return torch.stack([torch.stack(pair) for pair in layers]).permute(3, 0, 1, 2, 4).flatten(1)


def draw_as_linear(network: nn.Sequential, generator: torch.Generator | None) -> None:
    """Draw weights and biases as `nn.Linear` does, uniform within 1 / sqrt(inputs), with a generator of one's own."""
    for layer in network:
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
