"""The size and the kind of a vision transformer."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class VisionConfig:
    """The size and the kind of a vision transformer.

    Args:
        picture: height and width of a picture in pixels.
        patch: height and width of a patch in pixels.
        channels: numbers of a pixel: 3 for red, green and blue.
        layers: blocks.
        heads: attention heads of a block.
        d_model: features of a token.
        d_hidden: hidden features of the feed-forward networks (default: 4 d_model).
        dropout: probability with which features and attention weights are dropped in training.
        epsilon: what layer normalisation adds to the variance.
        kind: "vit", or "clip" (Radford et al. 2021), which has no bias at the patches and one more norm, in front of
            the blocks.
        activation: "gelu", or "quick_gelu" as in CLIP's published weights.

    Raises:
        ValueError: a size below 1, a picture that patches do not fill, d_model not a multiple of heads, a dropout
            outside [0, 1), an unknown kind or activation.
    """

    picture: int = 48
    patch: int = 8
    channels: int = 3
    layers: int = 4
    heads: int = 4
    d_model: int = 128
    d_hidden: int | None = None
    dropout: float = 0.0
    epsilon: float = 1e-6
    kind: Literal["vit", "clip"] = "vit"
    activation: Literal["gelu", "quick_gelu"] = "gelu"

    def __post_init__(self) -> None:
        sizes = ("picture", "patch", "channels", "layers", "heads", "d_model")
        if wrong := [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]:
            raise ValueError(f"the sizes of a vision transformer must be at least 1; got {', '.join(wrong)}")
        if self.picture % self.patch:
            raise ValueError(
                f"patches must fill the picture; got picture={self.picture} and patch={self.patch}, which leave "
                f"{self.picture % self.patch} pixels over: resize the picture, or choose a patch that divides it"
            )
        if self.d_model % self.heads:
            raise ValueError(f"d_model must be a multiple of heads; got d_model={self.d_model}, heads={self.heads}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1); got {self.dropout}")
        if self.kind not in ("vit", "clip") or self.activation not in ("gelu", "quick_gelu"):
            raise ValueError(
                "kind must be 'vit' or 'clip', and activation 'gelu' or 'quick_gelu'; "
                f"got {self.kind!r} and {self.activation!r}"
            )

    @property
    def patches(self) -> int:
        """Patches of a picture."""
        return (self.picture // self.patch) ** 2
