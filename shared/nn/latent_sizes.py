"""The sizes of a layer of latent attention, and what transformers calls them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversion needs it
    from transformers import DeepseekV2Config, DeepseekV3Config

# Our field: theirs. The norms of their attention have an epsilon of their own, which is our default.
FIELDS = {
    "d_model": "hidden_size",
    "heads": "num_attention_heads",
    "latent": "kv_lora_rank",
    "head_dim": "qk_nope_head_dim",
    "rotary_dim": "qk_rope_head_dim",
    "value_dim": "v_head_dim",
    "query_latent": "q_lora_rank",
}


@dataclass(frozen=True)
class LatentSizes:
    """The sizes of a layer.

    Args:
        d_model: features of a token.
        heads: attention heads.
        latent: features of the latent that keys and values are made of (512 in DeepSeek-V2).
        head_dim: features of a head's key without position (128).
        rotary_dim: features of the key with a position, which all heads share (64).
        value_dim: features of a head's value (default: head_dim).
        query_latent: features of the latent that queries are made of (1,536; None: they are made of the token).
        theta: base of the rotary positions.
        epsilon: what the norms of the latents add to the mean square.

    Raises:
        ValueError: a size below 1, or an odd rotary_dim.
    """

    d_model: int
    heads: int
    latent: int
    head_dim: int
    rotary_dim: int
    value_dim: int | None = None
    query_latent: int | None = None
    theta: float = 10_000.0
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        names = ("d_model", "heads", "latent", "head_dim", "rotary_dim", "value_dim", "query_latent")
        given = {name: size for name in names if (size := getattr(self, name)) is not None}
        if wrong := [f"{name}={size}" for name, size in given.items() if size < 1]:
            raise ValueError(f"the sizes of latent attention must be at least 1; got {', '.join(wrong)}")
        if self.rotary_dim % 2:
            raise ValueError(
                f"rotary positions turn pairs of features; got rotary_dim={self.rotary_dim}: give an even number"
            )

    @property
    def values(self) -> int:
        """Return the features of a head's value."""
        return self.head_dim if self.value_dim is None else self.value_dim

    @property
    def kept(self) -> int:
        """Return the floats that the cache keeps for a token: the latent and the shared key."""
        return self.latent + self.rotary_dim

    @classmethod
    def from_transformers(cls, config: "DeepseekV2Config | DeepseekV3Config") -> "LatentSizes":
        """Return the sizes of a DeepSeek-V2 or V3.

        Raises:
            ValueError: a variant that `LatentAttention` has not: biases, scaled rotation, or one of halves.
        """
        rotation = config.rope_parameters or {}
        more = [f"rope_type={kind!r}"] if (kind := rotation.get("rope_type", "default")) != "default" else []
        more += ["attention_bias=True"] * bool(config.attention_bias)
        more += ["rope_interleave=False"] * (not config.to_dict().get("rope_interleave", True))
        if more:
            raise ValueError(
                "LatentAttention has no biases, and turns neighbouring features at unscaled speeds; the layer has "
                f"{', '.join(more)}: take one without"
            )
        fields = {ours: getattr(config, theirs) for ours, theirs in FIELDS.items()}
        return cls(**fields, theta=config.to_dict()["rope_parameters"]["rope_theta"])
