"""What models of this sprint are stacked of, and a model that returns its logits and nothing else."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn

from shared.nn.sequence_model import Residual, TokenWise


def blocks_with_mlps(mixing_layer: Callable[[], nn.Module], d_model: int, blocks: int) -> list[nn.Module]:
    """Return so many pairs of a layer that mixes tokens and an MLP of 8 d_model^2 weights, each with norm and residual.

    Args:
        mixing_layer: makes a new `SequenceLayer` from d_model to d_model features.
        d_model: features of a token.
        blocks: pairs.
    """
    layers: list[nn.Module] = []
    for _ in range(blocks):
        mlp = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model))
        layers += [Residual(mixing_layer(), nn.LayerNorm(d_model)), Residual(TokenWise(mlp), nn.LayerNorm(d_model))]
    return layers


class LogitsOnly(nn.Module):
    """A model, with a state or without one, read from the beginning of each row."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens outputs"]:
        """Return the logits at each token."""
        read = self.model(tokens)
        return read if isinstance(read, Tensor) else read[0]

    def parameter_count(self) -> int:
        """Return the number of parameters; tied weights count once."""
        return sum(parameter.numel() for parameter in self.parameters())
