"""Models that are compared on texts of two voices; one has a network for each voice, and is told which it is."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.nn.llama import Llama, LlamaConfig, SwiGLU
from shared.nn.mixtral import Mixtral, MixtralConfig

Kind = Literal["small", "by_voice", "experts", "unbalanced", "large"]
NAMES: dict[str, str] = {
    "small": "one network, as large as what a token uses",
    "by_voice": "a network of that size for each voice",
    "experts": "experts",
    "unbalanced": "experts, no balance loss",
    "large": "one network, as large as all experts",
}


class NetworkOfTheVoice(nn.Module):
    """Two feed-forward networks: one for the rows 0, 2, 4, ... of a batch, which are plain, and one for the others."""

    def __init__(self, d_model: int, d_hidden: int) -> None:
        super().__init__()
        self.voices = nn.ModuleList(SwiGLU(d_model, d_hidden) for _ in range(2))

    def forward(self, x: Float[Tensor, "batch tokens d_model"]) -> Float[Tensor, "batch tokens d_model"]:
        """Return what the network of its voice makes of each row."""
        mixed = torch.empty_like(x)
        for voice, network in enumerate(self.voices):
            mixed[voice::2] = network(x[voice::2])
        return mixed


class ByVoice(Llama):
    """A Llama with a network for each voice in each block; it is told the voice from the first word on.

    Args:
        config: size; `d_hidden` is that of one network.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: LlamaConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(config, generator)
        for block in self.blocks:
            networks = NetworkOfTheVoice(config.d_model, config.d_hidden)
            for parameter in networks.parameters():
                nn.init.normal_(parameter, std=0.02, generator=generator)
            block.feed_forward = networks


def build(kind: Kind, size: MixtralConfig, generator: torch.Generator | None = None) -> Llama:
    """Return a model of a kind beside experts of a size."""
    if kind in ("experts", "unbalanced"):
        return Mixtral(size, generator)
    fields = {name: value for name, value in vars(size).items() if name not in ("experts", "top_k")}
    fields["d_hidden"] *= size.experts if kind == "large" else size.top_k
    return (ByVoice if kind == "by_voice" else Llama)(LlamaConfig(**fields), generator)


def active_parameters(model: Llama) -> int:
    """Return how many parameters compute one token."""
    if isinstance(model, Mixtral):
        return model.active_parameter_count()
    other_voice = 3 * model.config.layers * model.config.d_model * model.config.d_hidden
    return model.parameter_count() - (other_voice if isinstance(model, ByVoice) else 0)
