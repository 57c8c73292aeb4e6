"""Mamba (Gu & Dao 2023, *Mamba: Linear-Time Sequence Modeling with Selective State Spaces*).

A diagonal state space whose time step, input and output directions depend on the token: it may look at a token for
long, or pass over it. Equal to transformers' `MambaForCausalLM` without its kernels.
"""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.causal_convolution import CausalConvolution
from shared.nn.linear_recurrence import Way, read_steps
from shared.nn.norms import RMSNorm
from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import Residual, SequenceModel, State

Tokens = Float[Tensor, "batch tokens features"]
Directions = Float[Tensor, "batch tokens d_state"]


def selective_scan(
    x: Tokens,
    step: Tokens,
    rate: Float[Tensor, "features d_state"],
    write: Directions,
    read: Directions,
    state: Float[Tensor, "batch features d_state"] | None = None,
    mask: Bool[Tensor, "batch tokens"] | None = None,
    way: Way = "chunks",
) -> tuple[Tokens, Float[Tensor, "batch features d_state"]]:
    """Return the outputs and the last state of a selective state space (section 3.2, algorithm 2).

        state_t = exp(step_t rate) * state_{t-1} + step_t x_t write_t^T        (features, d_state)
        output_t = state_t read_t                                              (features)

    Args:
        x: (batch, tokens, features).
        step: how long each token lasts for each feature, positive (delta of the paper).
        rate: how fast each number of the state fades, negative (A).
        write: along which direction of the state a token is written (B).
        read: along which direction the state is read (C).
        state: (batch, features, d_state), or None for zeros.
        mask: True where a token is real; padding leaves the state as it is.
        way: token by token, by a scan, or in chunks.
    """
    decay = (step.unsqueeze(-1) * rate).exp()  # (batch, tokens, features, d_state), and all between 0 and 1
    written = (step * x).unsqueeze(-1) * write.unsqueeze(-2)
    states, last = read_steps(way, decay, written, state, mask)
    return (states @ read.unsqueeze(-1)).squeeze(-1), last


class Mamba(nn.Module):
    """A Mamba layer, a `SequenceLayer` (section 3.4, figure 3): convolution, selective scan, and a gate beside both.

    Its state is the last inputs of the convolution and the state of the scan, (batch, kernel - 1, inner) and (batch,
    inner, d_state), with inner = expand d_model.

    Args:
        d_model: features of a token.
        d_state: numbers of the state for each inner feature.
        expand: inner features for each feature.
        kernel: tokens of the convolution.
        rank: numbers from which the inner features' time steps are made; d_model / 16 by default.
        way: how the scan is computed.
    """

    def __init__(
        self, d_model: int, d_state: int = 16, expand: int = 2, kernel: int = 4, rank: int | None = None,
        way: Way = "chunks",
    ) -> None:  # fmt: skip
        super().__init__()
        if min(d_model, d_state, expand, kernel, 1 if rank is None else rank) < 1:
            raise ValueError(
                f"all sizes must be at least 1; got d_model {d_model}, d_state {d_state}, expand {expand}, "
                f"kernel {kernel}, rank {rank}"
            )
        inner, rank = expand * d_model, math.ceil(d_model / 16) if rank is None else rank
        self.d_model, self.inner, self.d_state, self.rank, self.way = d_model, inner, d_state, rank, way
        self.input = nn.Linear(d_model, 2 * inner, bias=False)
        self.convolution = CausalConvolution(inner, kernel)
        self.selection = nn.Linear(inner, rank + 2 * d_state, bias=False)
        self.time_step = nn.Linear(rank, inner)
        self.log_rate = nn.Parameter(torch.arange(1.0, d_state + 1).log().repeat(inner, 1))  # S4D-Real
        self.skip = nn.Parameter(torch.ones(inner))
        self.output = nn.Linear(inner, d_model, bias=False)
        nn.init.uniform_(self.time_step.weight, -(rank**-0.5), rank**-0.5)
        self.time_step.bias = nn.Parameter(inverse_softplus(draw_time_steps(inner)))

    def forward(
        self, x: Tokens, state: State | None = None, mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> tuple[Tokens, State]:
        """Return the outputs and the state behind the last token; see `SequenceLayer`."""
        shapes = [(self.convolution.kernel - 1, self.inner), (self.inner, self.d_state)]
        check_sequence(x, self.d_model, state, shapes, mask)
        inner, gate = self.input(x).chunk(2, dim=-1)
        inner, last_inputs = self.convolution(inner, None if state is None else state[:1], mask)
        inner = functional.silu(inner)
        step, write, read = self.selection(inner).split([self.rank, self.d_state, self.d_state], dim=-1)
        step = functional.softplus(self.time_step(step))  # (batch, tokens, inner)
        before = None if state is None else state[1]
        mixed, last = selective_scan(inner, step, -self.log_rate.exp(), write, read, before, mask, self.way)
        output = self.output((mixed + self.skip * inner) * functional.silu(gate))
        return output if mask is None else output.masked_fill(~mask.unsqueeze(-1), 0.0), (*last_inputs, last)


def draw_time_steps(count: int, shortest: float = 0.001, longest: float = 0.1) -> Float[Tensor, " count"]:
    """Return time steps whose logarithms are drawn evenly (section 3.6): short and long memories."""
    return torch.empty(count).uniform_(math.log(shortest), math.log(longest)).exp()


def inverse_softplus(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return y with softplus(y) = x, for positive x: x + log(1 - exp(-x)), which does not overflow."""
    return x + torch.log(-torch.expm1(-x))


# Our names of a layer's parameters, and transformers'.
NAMES = {
    "input.weight": "in_proj.weight", "convolution.weight": "conv1d.weight", "convolution.bias": "conv1d.bias",
    "selection.weight": "x_proj.weight", "time_step.weight": "dt_proj.weight", "time_step.bias": "dt_proj.bias",
    "log_rate": "A_log", "skip": "D", "output.weight": "out_proj.weight",
}  # fmt: skip


def mamba_model(
    vocab_size: int, d_model: int, layers: int, d_state: int = 16, expand: int = 2, kernel: int = 4,
    rank: int | None = None, epsilon: float = 1e-5, way: Way = "chunks",
) -> SequenceModel:  # fmt: skip
    """Return a language model of Mamba layers, each added to what it reads, without anything between them."""
    blocks = [
        Residual(Mamba(d_model, d_state, expand, kernel, rank, way), RMSNorm(d_model, epsilon)) for _ in range(layers)
    ]
    return SequenceModel(vocab_size, d_model, blocks, RMSNorm(d_model, epsilon))


def mamba_from_transformers(theirs: Any, way: Way = "chunks") -> SequenceModel:
    """Return the model that computes what a `MambaForCausalLM` does, in evaluation mode.

    Raises:
        ValueError: the model is another one, or has what ours lacks.
    """
    config = theirs.config
    check_config(config, "mamba", tie_word_embeddings=True)
    model = mamba_model(
        config.vocab_size, config.hidden_size, config.num_hidden_layers, config.state_size, config.expand,
        config.conv_kernel, int(config.time_step_rank), config.layer_norm_epsilon, way,
    )  # fmt: skip
    return copy_weights(model, theirs, NAMES)


def check_config(config: Any, model_type: str, **more: Any) -> None:
    """Check that a configuration of transformers is one of this kind, and of what ours has.

    Raises:
        ValueError: the model is another one, or has what ours lacks.
    """
    if config.model_type != model_type:
        raise ValueError(f"the model must be a {model_type}; it is a {config.model_type}: give another one")
    kept = {"use_bias": False, "use_conv_bias": True, "hidden_act": "silu"} | more
    if other := {name: getattr(config, name) for name, value in kept.items() if getattr(config, name) != value}:
        raise ValueError(f"ours has {kept}; this model has {other}: change its configuration")


def copy_weights(model: SequenceModel, theirs: Any, names: dict[str, str]) -> SequenceModel:
    """Return our model with the weights of transformers', in its dtype and in evaluation mode.

    Args:
        model: of residual layers with a norm each.
        theirs: a language model on a `backbone`.
        names: of our layer's parameters, and those of its mixer.
    """
    copied = {"embedding.weight": "backbone.embeddings.weight", "norm.gain": "backbone.norm_f.weight"}
    tied = model.head.weight is model.embedding.weight
    copied["head.weight"] = copied["embedding.weight"] if tied else "lm_head.weight"
    for index in range(len(model.layers)):
        copied[f"layers.{index}.norm.gain"] = f"backbone.layers.{index}.norm.weight"
        for own, name in names.items():
            copied[f"layers.{index}.layer.{own}"] = f"backbone.layers.{index}.mixer.{name}"
    weights, own = theirs.state_dict(), model.state_dict()
    model.load_state_dict({name: weights[name_there].view_as(own[name]) for name, name_there in copied.items()})
    return model.to(next(theirs.parameters()).dtype).eval()
