"""Mamba-2 (Dao & Gu 2024, *Transformers are SSMs*): a selective state space with one decay for a whole head.

With one number for what is kept, the layer is linear attention with decays: what is written is a key, what reads is a
query, and the token, times its time step, is the value. So it is computed in chunks, by matrix products. Equal to
transformers' `Mamba2ForCausalLM` without its kernels.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.causal_convolution import CausalConvolution
from shared.nn.linear_attention import attend_by_scan, attend_by_tokens, attend_in_chunks
from shared.nn.linear_recurrence import Way
from shared.nn.mamba import check_config, copy_weights, draw_time_steps, inverse_softplus
from shared.nn.norms import RMSNorm
from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import Residual, SequenceModel, State

Tokens = Float[Tensor, "batch tokens features"]


class GatedNorm(nn.Module):
    """RMS norm of x silu(gate), in groups of features each with a root mean square of its own (section 7)."""

    def __init__(self, features: int, groups: int, epsilon: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(features))
        self.groups, self.epsilon = groups, epsilon

    def forward(self, x: Tokens, gate: Tokens) -> Tokens:
        """Return the norm, times the gain."""
        parts = (x * functional.silu(gate)).unflatten(-1, (self.groups, -1))
        return self.gain * functional.rms_norm(parts, parts.shape[-1:], None, self.epsilon).flatten(-2)


class Mamba2(nn.Module):
    """A Mamba-2 layer, a `SequenceLayer` (section 7, figure 6).

    Its state is the last inputs of the convolution, (batch, kernel - 1, inner + 2 groups d_state), and what each head
    remembers, (batch, heads, d_state, inner / heads), with inner = expand d_model.

    Args:
        d_model: features of a token.
        heads: each has one decay; a divisor of the inner features.
        d_state: numbers of the state for each inner feature: the length of keys and queries.
        expand: inner features for each feature.
        kernel: tokens of the convolution.
        groups: keys and queries; the heads of a group share them, as in multi-query attention.
        chunk: tokens that are read by matrix products at once.
        epsilon: of the norm.
        steps: between these the time steps are held.
        way: token by token, by a scan, or in chunks.
    """

    def __init__(
        self, d_model: int, heads: int, d_state: int = 64, expand: int = 2, kernel: int = 4, groups: int = 1,
        chunk: int = 64, epsilon: float = 1e-5, steps: tuple[float, float] = (0.0, float("inf")), way: Way = "chunks",
    ) -> None:  # fmt: skip
        super().__init__()
        inner = expand * d_model
        if min(d_model, heads, d_state, expand, kernel, groups, chunk) < 1 or inner % heads or heads % groups:
            raise ValueError(
                f"sizes must be at least 1, inner features a multiple of heads, and heads of groups; got {inner} inner "
                f"features, {heads} heads, {groups} groups, d_state {d_state}, kernel {kernel}, chunk {chunk}"
            )
        self.d_model, self.inner, self.heads, self.groups = d_model, inner, heads, groups
        self.d_state, self.chunk, self.steps, self.way = d_state, chunk, steps, way
        mixed = inner + 2 * groups * d_state
        self.input = nn.Linear(d_model, inner + mixed + heads, bias=False)  # gate, what is convolved, time steps
        self.convolution = CausalConvolution(mixed, kernel)
        self.step_bias = nn.Parameter(inverse_softplus(draw_time_steps(heads)))
        self.log_rate = nn.Parameter(torch.arange(1.0, heads + 1).log())
        self.skip = nn.Parameter(torch.ones(heads))
        self.norm = GatedNorm(inner, groups, epsilon)
        self.output = nn.Linear(inner, d_model, bias=False)

    def forward(
        self, x: Tokens, state: State | None = None, mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> tuple[Tokens, State]:
        """Return the outputs and the state behind the last token; see `SequenceLayer`."""
        width, head_dim = self.groups * self.d_state, self.inner // self.heads
        kept = [(self.convolution.kernel - 1, self.convolution.features), (self.heads, self.d_state, head_dim)]
        check_sequence(x, self.d_model, state, kept, mask)
        gate, mixed, step = self.input(x).split([self.inner, self.convolution.features, self.heads], dim=-1)
        mixed, last_inputs = self.convolution(mixed, None if state is None else state[:1], mask)
        inner, key, query = functional.silu(mixed).split([self.inner, width, width], dim=-1)
        step = functional.softplus(step + self.step_bias).clamp(*self.steps)  # (batch, tokens, heads)
        if mask is not None:
            step = step.masked_fill(~mask.unsqueeze(-1), 0.0)  # no time passes: nothing fades, nothing is written
        inner = inner.unflatten(-1, (self.heads, -1))  # (batch, tokens, heads, head_dim)
        value, log_decay = inner * step.unsqueeze(-1), -self.log_rate.exp() * step
        output, last = self.mix(query, key, value, log_decay, None if state is None else state[1])
        output = output + self.skip.unsqueeze(-1) * inner
        output = self.output(self.norm(output.flatten(2), gate))
        return output if mask is None else output.masked_fill(~mask.unsqueeze(-1), 0.0), (*last_inputs, last)

    def mix(
        self,
        query: Float[Tensor, "batch tokens width"],
        key: Float[Tensor, "batch tokens width"],
        value: Float[Tensor, "batch tokens heads head_dim"],
        log_decay: Float[Tensor, "batch tokens heads"],
        state: Float[Tensor, "batch heads d_state head_dim"] | None,
    ) -> tuple[Float[Tensor, "batch tokens heads head_dim"], Float[Tensor, "batch heads d_state head_dim"]]:
        """Return what linear attention reads for each head, and its last state."""
        shared = self.heads // self.groups
        query, key = (part.unflatten(-1, (self.groups, -1)) for part in (query, key))
        query, key = (part.repeat_interleave(shared, dim=2).transpose(1, 2) for part in (query, key))
        parts = (query, key, value.transpose(1, 2), log_decay.transpose(1, 2), state)
        if self.way == "chunks":
            output, last = attend_in_chunks(*parts, chunk=self.chunk)
        else:
            output, last = {"tokens": attend_by_tokens, "scan": attend_by_scan}[self.way](*parts)
        return output.transpose(1, 2), last


# Our names of a layer's parameters, and transformers'.
NAMES = {
    "input.weight": "in_proj.weight", "convolution.weight": "conv1d.weight", "convolution.bias": "conv1d.bias",
    "step_bias": "dt_bias", "log_rate": "A_log", "skip": "D", "norm.gain": "norm.weight",
    "output.weight": "out_proj.weight",
}  # fmt: skip


def mamba2_from_transformers(theirs: Any, way: Way = "chunks") -> SequenceModel:
    """Return the model that computes what a `Mamba2ForCausalLM` does, in evaluation mode.

    Raises:
        ValueError: the model is another one, or has what ours lacks.
    """
    config = theirs.config
    check_config(config, "mamba2")
    size, epsilon = config.hidden_size, config.layer_norm_epsilon
    blocks = [
        Residual(
            Mamba2(
                size, config.num_heads, config.state_size, int(config.expand), config.conv_kernel, config.n_groups,
                config.chunk_size, epsilon, tuple(config.time_step_limit), way,
            ),
            RMSNorm(size, epsilon),
        )
        for _ in range(config.num_hidden_layers)
    ]  # fmt: skip
    outputs = None if config.tie_word_embeddings else config.vocab_size
    return copy_weights(SequenceModel(config.vocab_size, size, blocks, RMSNorm(size, epsilon), outputs), theirs, NAMES)
