"""Mixtral (Jiang et al. 2024): a Llama whose feed-forward networks are mixtures of experts.

It is the model that transformers calls MixtralForCausalLM, weight for weight, with its balance loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.conversions import LLAMA_FIELDS, LLAMA_PARTS, our_llama_fields, their_fields, their_name, their_rotation
from shared.nn.llama import Llama, LlamaConfig
from shared.nn.mixture_of_experts import MixtureOfExperts, Routing, check_experts, recorded_routing

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversions need it
    from transformers import MixtralForCausalLM

# Our field: theirs, beside those of a Llama.
MIXTRAL_FIELDS = LLAMA_FIELDS | {"experts": "num_local_experts", "top_k": "num_experts_per_tok"}
MIXTRAL_PARTS = LLAMA_PARTS | {"router": "gate"}
EXPERTS, OUR_EXPERTS = "feed_forward.experts", ("gate", "expand", "contract")
THEIR_EXPERTS = ("gate_up_proj", "down_proj")


@dataclass(frozen=True)
class MixtralConfig(LlamaConfig):
    """The size of a Mixtral: that of a Llama whose `d_hidden` is the size of one expert.

    Args:
        experts: networks of each layer.
        top_k: how many of them a token is sent to.

    Raises:
        ValueError: as of a `LlamaConfig`, and a top_k that is not from 1 to the experts.
    """

    experts: int = 4
    top_k: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_experts(self.experts, self.top_k)


class Mixtral(Llama):
    """A Llama with a `MixtureOfExperts` in each block.

    Args:
        config: size.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    config: MixtralConfig

    def __init__(self, config: MixtralConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(config, generator)
        for block in self.blocks:
            mixture = MixtureOfExperts(config.d_model, config.d_hidden, config.experts, config.top_k)
            for parameter in mixture.parameters():
                nn.init.normal_(parameter, std=0.02, generator=generator)
            block.feed_forward = mixture

    def with_routing(
        self,
        tokens: Int[Tensor, "batch tokens"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
        positions: Int[Tensor, "#batch tokens"] | None = None,
    ) -> tuple[Float[Tensor, "batch tokens vocab"], list[Routing]]:
        """Return the logits, and where each layer sent the tokens: what a loss with a balance is made of."""
        with recorded_routing(self) as routing:
            return self(tokens, mask=mask, positions=positions), routing

    def active_parameter_count(self) -> int:
        """Return the number of parameters that compute one token: all but those of the experts it is not sent to."""
        one = 3 * self.config.d_model * self.config.d_hidden  # of an expert: gate, expand and contract
        return self.parameter_count() - self.config.layers * (self.config.experts - self.config.top_k) * one

    def to_transformers(  # ty: ignore[incompatible-method-override]
        self, end_token: int | None = None, pad_token: int | None = None
    ) -> "MixtralForCausalLM":
        """Return the same model as a `MixtralForCausalLM`, which is told the tokens that end a text and that pad."""
        from transformers import MixtralConfig as TheirConfig
        from transformers import MixtralForCausalLM

        model = MixtralForCausalLM(
            TheirConfig(
                **their_fields(self.config, MIXTRAL_FIELDS),
                rope_parameters=their_rotation(self.config.theta, self.config.scaling),
                tie_word_embeddings=self.config.tie_weights,
                bos_token_id=None, eos_token_id=end_token, pad_token_id=pad_token,
            )
        )  # fmt: skip
        model.load_state_dict(to_their_weights(self.state_dict()) | {"lm_head.weight": self.output_weight})
        return model

    @classmethod
    def from_transformers(  # ty: ignore[incompatible-method-override]
        cls, model: "MixtralForCausalLM"
    ) -> "Mixtral":
        """Return the same model as a `Mixtral`, in evaluation mode.

        Raises:
            ValueError: no Mixtral, or one with a window or with noise in its router, which `Mixtral` has not.
        """
        config = model.config.to_dict()
        plain = {"model_type": "mixtral", "sliding_window": None, "router_jitter_noise": 0.0}
        if more := [f"{name}={config.get(name)!r}" for name, value in plain.items() if config.get(name) != value]:
            raise ValueError(f"the model must be a plain Mixtral; it has {', '.join(more)}: name another model")
        fields = our_llama_fields(config | {"model_type": "llama"}, "the model")
        experts = {"experts": config["num_local_experts"], "top_k": config["num_experts_per_tok"]}
        ours = cls(MixtralConfig(**fields, **experts, tie_weights=config["tie_word_embeddings"]))
        theirs = model.state_dict()
        weights = {name: theirs[their_name(name, MIXTRAL_PARTS)] for name in ours.state_dict() if EXPERTS not in name}
        for layer in range(ours.config.layers):
            gate_and_expand, contract = (theirs[f"model.layers.{layer}.mlp.experts.{part}"] for part in THEIR_EXPERTS)
            for part, stacked in zip(OUR_EXPERTS, (*gate_and_expand.chunk(2, dim=1), contract), strict=True):
                for number, weight in enumerate(stacked):
                    weights[f"blocks.{layer}.{EXPERTS}.{number}.{part}.weight"] = weight
        ours.load_state_dict(weights)
        return ours.eval()


def to_their_weights(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights (or gradients) of a `Mixtral` by the names that they have in transformers.

    They keep all experts of a layer in two tensors: `gate_up_proj` of shape (experts, 2 d_hidden, d_model), the gate
    above what it gates, and `down_proj` of shape (experts, d_model, d_hidden).
    """
    theirs = {their_name(name, MIXTRAL_PARTS): weight for name, weight in ours.items() if EXPERTS not in name}
    layers, experts = (len({name.split(".")[place] for name in ours if EXPERTS in name}) for place in (1, 4))
    for layer in range(layers):
        gate, expand, contract = (
            torch.stack([ours[f"blocks.{layer}.{EXPERTS}.{number}.{part}.weight"] for number in range(experts)])
            for part in OUR_EXPERTS
        )
        for part, weight in zip(THEIR_EXPERTS, (torch.cat([gate, expand], dim=1), contract), strict=True):
            theirs[f"model.layers.{layer}.mlp.experts.{part}"] = weight
    return theirs
