"""The gated delta rule: a state that corrects what it holds under a key instead of adding to it.

    state = decay_t * state_{t-1}                                    fade, (head_dim, features)
    state_t = state + beta_t key_t (value_t - state^T key_t)^T       write the difference
    output_t = query_t^T state_t

Schlag et al. 2021, *Linear Transformers Are Secretly Fast Weight Programmers*, section 4.2; in chunks Yang et al. 2024,
*Parallelizing Linear Transformers with the Delta Rule over Sequence Length*; with a decay Yang, Kautz & Hatamizadeh
2024, *Gated Delta Networks*. Keys should have length 1: then beta = 1 replaces what was there.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.linear_attention import Keys, LogDecays, Memory, Values, empty_memory, pairwise_decays
from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import State

Betas = Float[Tensor, "batch heads tokens"]


def delta_by_tokens(
    query: Keys, key: Keys, value: Values, log_decay: LogDecays, beta: Betas, state: Memory | None = None
) -> tuple[Values, Memory]:
    """Return the outputs and the last state, by one token after the other.

    Args:
        query: what is asked, (batch, heads, tokens, head_dim).
        key: the address, (batch, heads, tokens, head_dim), of length 1.
        value: what shall stand there, (batch, heads, tokens, features).
        log_decay: logarithm of what the state is multiplied by first, at most 0, (batch, heads, tokens).
        beta: which part of the difference is written, (batch, heads, tokens).
        state: (batch, heads, head_dim, features), or None for zeros.
    """
    state = empty_memory(key, value) if state is None else state
    outputs = []
    for place in range(key.shape[2]):
        address = key[:, :, place].unsqueeze(-1)  # (batch, heads, head_dim, 1)
        state = log_decay[:, :, place, None, None].exp() * state
        held = address.mT @ state  # (batch, heads, 1, features): what the state answers to this key
        state = state + beta[:, :, place, None, None] * address * (value[:, :, place].unsqueeze(-2) - held)
        outputs.append((query[:, :, place].unsqueeze(-2) @ state).squeeze(-2))
    return torch.stack(outputs, dim=2), state


def delta_by_scan(
    query: Keys, key: Keys, value: Values, log_decay: LogDecays, beta: Betas, state: Memory | None = None
) -> tuple[Values, Memory]:
    """Return the same by a parallel scan over matrices: state_t = A_t state_{t-1} + beta_t key_t value_t^T.

    A_t = decay_t (I - beta_t key_t key_t^T) is a full matrix, so joining two steps is a product of matrices: right, and
    too expensive for anything but a proof that it works.
    """
    address = key.unsqueeze(-1) * beta[..., None, None]  # (batch, heads, tokens, head_dim, 1)
    identity = torch.eye(key.shape[-1], dtype=key.dtype, device=key.device)
    turns = log_decay[..., None, None].exp() * (identity - address * key.unsqueeze(-2))
    states, distance = address * value.unsqueeze(-2), 1
    while distance < key.shape[2]:
        joined = states[:, :, distance:] + turns[:, :, distance:] @ states[:, :, :-distance]
        states = torch.cat([states[:, :, :distance], joined], dim=2)
        turned = turns[:, :, distance:] @ turns[:, :, :-distance]
        turns = torch.cat([turns[:, :, :distance], turned], dim=2)
        distance *= 2
    if state is not None:
        states = states + turns @ state.unsqueeze(2)
    return (query.unsqueeze(-2) @ states).squeeze(-2), states[:, :, -1]


def delta_in_chunks(
    query: Keys,
    key: Keys,
    value: Values,
    log_decay: LogDecays,
    beta: Betas,
    state: Memory | None = None,
    chunk: int = 64,
) -> tuple[Values, Memory]:
    """Return the same in chunks: what each token of a chunk writes is the solution of a triangular system.

    The difference that token i writes depends on what the tokens before it wrote: written_i = beta_i (value_i - g_i
    S^T key_i) - sum over j < i of beta_i D_ij (key_i key_j) written_j, with S the state in front of the chunk, g_i the
    decay up to i and D_ij that from j to i. So (I + L) written = beta value - beta g key S, and what is left is linear
    attention with `written` as values (Yang et al. 2024, section 3.2: the WY form).
    """
    tokens, missing = key.shape[2], -key.shape[2] % chunk
    query, key, value = (functional.pad(part, (0, 0, 0, missing)) for part in (query, key, value))
    query, key, value = (part.unflatten(2, (-1, chunk)) for part in (query, key, value))
    log_decay, beta = (functional.pad(p, (0, missing)).unflatten(2, (-1, chunk)) for p in (log_decay, beta))
    so_far = log_decay.cumsum(dim=-1)
    decays, beta, faded = pairwise_decays(so_far), beta.unsqueeze(-1), so_far.exp().unsqueeze(-1)
    lower = beta * (key @ key.mT) * decays  # its diagonal and what is above it are not read
    both = torch.cat([beta * value, beta * faded * key], dim=-1)  # right-hand sides for values and for the state
    both = torch.linalg.solve_triangular(lower, both, upper=False, unitriangular=True)
    new_values, reads = both.split([value.shape[-1], key.shape[-1]], dim=-1)
    seen, query, kept = query @ key.mT * decays, query * faded, so_far[..., -1, None, None].exp()
    left = key * (so_far[..., -1:] - so_far).exp().unsqueeze(-1)  # of each key, what is left at the end of its chunk
    state = empty_memory(key[:, :, 0], value[:, :, 0]) if state is None else state
    outputs = []
    for i in range(key.shape[2]):
        written = new_values[:, :, i] - reads[:, :, i] @ state  # (batch, heads, chunk, features)
        outputs.append(query[:, :, i] @ state + seen[:, :, i] @ written)
        state = kept[:, :, i] * state + left[:, :, i].mT @ written
    return torch.cat(outputs, dim=2)[:, :, :tokens], state


WAYS = {"tokens": delta_by_tokens, "scan": delta_by_scan, "chunks": delta_in_chunks}


class GatedDelta(nn.Module):
    """A layer of gated delta rule with several heads, as in Gated DeltaNet, without its short convolution.

    Queries and keys have length 1; the outputs of a head are normalised and multiplied by silu of a gate.

    Args:
        d_model: features of a token.
        heads: a divisor of d_model.
        beta_max: beta lies between 0 and this. Up to 1 the state only forgets; up to 2 the eigenvalue 1 - beta of a
            step reaches -1, and it can turn the state around (Grazzi et al. 2024, section 4.3).
        way: how it is read: tokens, scan or chunks.
    """

    def __init__(
        self, d_model: int, heads: int, beta_max: float = 1.0, way: Literal["tokens", "scan", "chunks"] = "chunks"
    ) -> None:
        super().__init__()
        if min(d_model, heads) < 1 or d_model % heads or not 0 < beta_max <= 2:
            rule = "d_model must be a multiple of heads, and beta_max above 0, at most 2"
            raise ValueError(f"{rule}; got {d_model}, {heads} and {beta_max}")
        self.d_model, self.heads, self.beta_max, self.way = d_model, heads, beta_max, way
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.gates = nn.Linear(d_model, 2 * heads)  # beta, and the decay, a number for each head
        nn.init.constant_(self.gates.bias[:heads].detach(), 0.0)
        nn.init.uniform_(self.gates.bias[heads:].detach(), 2.0, 7.0)  # decays from 0.88 to 0.999
        self.output_gate = nn.Linear(d_model, d_model, bias=False)
        self.output = nn.Linear(d_model, d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        state: State | None = None,
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> tuple[Float[Tensor, "batch tokens d_model"], State]:
        """Return the outputs and the state behind the last token; see `SequenceLayer`."""
        head_dim = self.d_model // self.heads
        check_sequence(x, self.d_model, state, [(self.heads, head_dim, head_dim)], mask)
        query, key, value = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in self.qkv(x).chunk(3, dim=-1))
        query, key = functional.normalize(query, dim=-1), functional.normalize(key, dim=-1)
        beta, decay = self.gates(x).transpose(1, 2).chunk(2, dim=1)  # each (batch, heads, tokens)
        beta, log_decay = self.beta_max * beta.sigmoid(), functional.logsigmoid(decay)
        if mask is not None:  # padding writes nothing, and nothing fades
            beta, log_decay = beta * mask[:, None], log_decay * mask[:, None]
        mixed, last = WAYS[self.way](query, key, value, log_decay, beta, None if state is None else state[0])
        mixed = functional.rms_norm(mixed, (head_dim,), eps=1e-6).transpose(1, 2).flatten(2)
        output = self.output(mixed * functional.silu(self.output_gate(x)))
        return output if mask is None else output.masked_fill(~mask.unsqueeze(-1), 0.0), (last,)
