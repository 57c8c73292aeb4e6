"""Attention without a softmax: a state that adds up key value^T, with a decay, read in three ways.

    state_t = decay_t * state_{t-1} + key_t value_t^T        (head_dim, features)
    output_t = query_t^T state_t

Katharopoulos et al. 2020, *Transformers are RNNs*; decays: Sun et al. 2023, *Retentive Network*; Yang et al. 2023,
*Gated Linear Attention Transformers*. Decays are given as logarithms, so that products of many become sums.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.linear_recurrence import scan
from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import State

Keys = Float[Tensor, "batch heads tokens head_dim"]
Values = Float[Tensor, "batch heads tokens features"]
LogDecays = Float[Tensor, "batch heads tokens"]
Memory = Float[Tensor, "batch heads head_dim features"]
Decay = Literal["none", "fixed", "gated"]


def attend_by_tokens(
    query: Keys, key: Keys, value: Values, log_decay: LogDecays, state: Memory | None = None
) -> tuple[Values, Memory]:
    """Return the outputs and the last state, by one token after the other.

    Args:
        query: what is asked, (batch, heads, tokens, head_dim).
        key: under which address a value is added, (batch, heads, tokens, head_dim).
        value: what is added, (batch, heads, tokens, features).
        log_decay: logarithm of what the state is multiplied by, at most 0, (batch, heads, tokens).
        state: (batch, heads, head_dim, features), or None for zeros.
    """
    state = empty_memory(key, value) if state is None else state
    outputs = []
    for place in range(key.shape[2]):
        written = key[:, :, place, :, None] * value[:, :, place, None, :]  # key value^T
        state = log_decay[:, :, place, None, None].exp() * state + written
        outputs.append((query[:, :, place, None, :] @ state).squeeze(2))  # query^T state
    return torch.stack(outputs, dim=2), state


def attend_by_scan(
    query: Keys, key: Keys, value: Values, log_decay: LogDecays, state: Memory | None = None
) -> tuple[Values, Memory]:
    """Return the same by a parallel scan. All states are held at once: head_dim times the memory of the outputs."""
    written = (key.unsqueeze(-1) * value.unsqueeze(-2)).transpose(1, 2)  # (batch, tokens, heads, head_dim, features)
    decay = log_decay.exp().transpose(1, 2)[..., None, None]  # (batch, tokens, heads, 1, 1)
    states, last = scan(decay, written, state)
    return (query.unsqueeze(-2) @ states.transpose(1, 2)).squeeze(-2), last


def attend_in_chunks(
    query: Keys, key: Keys, value: Values, log_decay: LogDecays, state: Memory | None = None, chunk: int = 64
) -> tuple[Values, Memory]:
    """Return the same: attention with a mask of decays within each chunk, and a state from chunk to chunk.

    Within a chunk the output is (query key^T * decays) value, where decays[i, j] is the product of the decays from
    behind token j up to token i, and 0 for j > i. No state is held but one for each chunk.
    """
    tokens, missing = key.shape[2], -key.shape[2] % chunk
    query, key, value = (functional.pad(part, (0, 0, 0, missing)) for part in (query, key, value))
    query, key, value = (part.unflatten(2, (-1, chunk)) for part in (query, key, value))
    so_far = functional.pad(log_decay, (0, missing)).unflatten(2, (-1, chunk)).cumsum(dim=-1)
    within = (query @ key.mT * pairwise_decays(so_far)) @ value  # (batch, heads, chunks, chunk, features)
    left = (so_far[..., -1:] - so_far).exp()  # what is left of a token at the end of its chunk
    written = (key * left.unsqueeze(-1)).mT @ value  # (batch, heads, chunks, head_dim, features)
    kept = so_far[..., -1, None, None].exp()
    starts = [empty_memory(key[:, :, 0], value[:, :, 0]) if state is None else state]
    for index in range(key.shape[2]):
        starts.append(kept[:, :, index] * starts[-1] + written[:, :, index])
    before = (query * so_far.exp().unsqueeze(-1)) @ torch.stack(starts[:-1], dim=2)
    return (within + before).flatten(2, 3)[:, :, :tokens], starts[-1]


def pairwise_decays(so_far: Float[Tensor, "*batch tokens"]) -> Float[Tensor, "*batch tokens tokens"]:
    """Return the product of the decays from behind token j up to token i at [i, j], and 0 for j > i.

    Args:
        so_far: sums of the logarithms of the decays up to each token. The later half is hidden before exp, which would
            overflow there.
    """
    difference = so_far.unsqueeze(-1) - so_far.unsqueeze(-2)
    later = torch.ones(difference.shape[-2:], dtype=torch.bool, device=so_far.device).triu(1)
    return difference.masked_fill(later, -torch.inf).exp()


def empty_memory(key: Keys, value: Values) -> Memory:
    """Return a state of zeros."""
    return key.new_zeros(*key.shape[:2], key.shape[-1], value.shape[-1])


WAYS = {"tokens": attend_by_tokens, "scan": attend_by_scan, "chunks": attend_in_chunks}


class LinearAttention(nn.Module):
    """Causal linear attention with several heads: a mean of values, weighted by elu(query) + 1 times elu(key) + 1.

    The sum of the weights is one more feature of the value, which is always 1: it is read with the rest, and divides it
    (Katharopoulos et al. 2020, equations 7 and 9).

    Args:
        d_model: features of a token.
        heads: a divisor of d_model.
        decay: none, as in the paper; fixed, 1 - 2^-(5 + head) as in RetNet; gated, a sigmoid of the token.
        way: how it is read: tokens, scan or chunks.
    """

    def __init__(
        self, d_model: int, heads: int, decay: Decay = "none", way: Literal["tokens", "scan", "chunks"] = "chunks"
    ) -> None:
        super().__init__()
        if min(d_model, heads) < 1 or d_model % heads:
            raise ValueError(f"d_model must be a multiple of heads; got {d_model} and {heads}: give another number")
        self.d_model, self.heads, self.decay, self.way = d_model, heads, decay, way
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.output = nn.Linear(d_model, d_model, bias=False)
        self.gate = nn.Linear(d_model, heads) if decay == "gated" else None
        if self.gate is not None:
            nn.init.uniform_(self.gate.bias, 1.0, 6.0)  # sigmoid: from 0.73 to 0.998

    def log_decays(self, x: Float[Tensor, "batch tokens d_model"]) -> LogDecays:
        """Return the logarithm of each head's decay at each token."""
        if self.gate is not None:
            return functional.logsigmoid(self.gate(x)).transpose(1, 2)
        exponents = 5 + torch.arange(self.heads, dtype=x.dtype, device=x.device)
        fixed = torch.log1p(-(2.0**-exponents)) if self.decay == "fixed" else torch.zeros_like(exponents)
        return fixed[:, None].expand(len(x), -1, x.shape[1])

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        state: State | None = None,
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> tuple[Float[Tensor, "batch tokens d_model"], State]:
        """Return the outputs and the state behind the last token; see `SequenceLayer`."""
        head_dim = self.d_model // self.heads
        check_sequence(x, self.d_model, state, [(self.heads, head_dim, head_dim + 1)], mask)
        query, key, value = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in self.qkv(x).chunk(3, dim=-1))
        query, key = functional.elu(query) + 1, functional.elu(key) + 1  # positive
        value = functional.pad(value, (0, 1), value=1.0)  # the last feature counts the weights
        log_decay = self.log_decays(x)
        if mask is not None:  # padding writes nothing, and nothing fades
            key, log_decay = key * mask[:, None, :, None], log_decay * mask[:, None]
        mixed, last = WAYS[self.way](query, key, value, log_decay, None if state is None else state[0])
        mean = mixed[..., :-1] / mixed[..., -1:].clamp(min=1e-6)
        output = self.output(mean.transpose(1, 2).flatten(2))
        return output if mask is None else output.masked_fill(~mask.unsqueeze(-1), 0.0), (last,)
