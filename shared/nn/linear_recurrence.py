"""A linear recurrence, state = decay * state + input, read in three ways; minGRU and a gated recurrence made of it.

Nothing non-linear stands between one state and the next, so steps may be joined before any state is known: two steps
(a, x) and (b, y) make one step (b a, b x + y). That is all that a parallel scan needs (Blelloch 1990, *Prefix Sums and
Their Applications*; Martin & Cundy 2018, *Parallelizing Linear Recurrent Neural Nets Over Sequence Length*).
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Inexact
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import State

Steps = Inexact[Tensor, "batch tokens *features"]
Decays = Inexact[Tensor, "batch tokens *broadcast"]  # as many axes as the inputs; an axis of 1 holds for all features
OneState = Inexact[Tensor, "batch *features"]
Way = Literal["tokens", "scan", "chunks"]


def recur(decay: Decays, inputs: Steps, state: OneState | None = None) -> tuple[Steps, OneState]:
    """Return all states, and the last one, by one step after the other.

    Args:
        decay: what the state is multiplied by at each token, (batch, tokens, features).
        inputs: what is added at each token, (batch, tokens, features).
        state: the state in front of the first token, (batch, features); None for zeros.

    Raises:
        ValueError: no token, or shapes that do not fit.
    """
    check_steps(decay, inputs, state)
    state = torch.zeros_like(inputs[:, 0]) if state is None else state
    states = []
    for one_decay, one_input in zip(decay.unbind(dim=1), inputs.unbind(dim=1), strict=True):
        state = one_decay * state + one_input
        states.append(state)
    return torch.stack(states, dim=1), state


def join_steps(decay: Decays, inputs: Steps) -> tuple[Decays, Steps]:
    """Return for each token all steps up to it joined into one: (product of decays, state from a state of zeros).

    In each round every token's piece is joined to the piece in front of it; pieces have 1, 2, 4, … tokens, so there
    are log2(tokens) rounds, and within a round nothing waits for anything (Hillis & Steele 1986).
    """
    distance = 1
    while distance < inputs.shape[1]:
        joined = inputs[:, distance:] + decay[:, distance:] * inputs[:, :-distance]  # b x + y
        inputs = torch.cat([inputs[:, :distance], joined], dim=1)
        decay = torch.cat([decay[:, :distance], decay[:, distance:] * decay[:, :-distance]], dim=1)  # b a
        distance *= 2
    return decay, inputs


def scan(decay: Decays, inputs: Steps, state: OneState | None = None) -> tuple[Steps, OneState]:
    """Return what `recur` does, by a parallel scan: log2(tokens) rounds over all tokens at once."""
    check_steps(decay, inputs, state)
    products, states = join_steps(decay, inputs)
    if state is not None:
        states = states + products * state.unsqueeze(1)
    return states, states[:, -1]


def in_chunks(decay: Decays, inputs: Steps, state: OneState | None = None, chunk: int = 16) -> tuple[Steps, OneState]:
    """Return what `recur` does in chunk + tokens / chunk steps: all chunks side by side, then from one to the next.

    Args:
        decay: (batch, tokens, features).
        inputs: (batch, tokens, features).
        state: (batch, features), or None for zeros.
        chunk: tokens of a chunk; the last chunk is filled up with steps that do nothing.
    """
    check_steps(decay, inputs, state)
    if chunk < 1:
        raise ValueError(f"a chunk must have at least 1 token; got {chunk}")
    batch, tokens = inputs.shape[:2]
    missing = -tokens % chunk
    decay = torch.cat([decay, decay.new_ones(batch, missing, *decay.shape[2:])], dim=1).unflatten(1, (-1, chunk))
    inputs = torch.cat([inputs, inputs.new_zeros(batch, missing, *inputs.shape[2:])], dim=1).unflatten(1, (-1, chunk))
    states, products = [torch.zeros_like(inputs[:, :, 0])], [torch.ones_like(decay[:, :, 0])]  # (batch, chunks, …)
    for one_decay, one_input in zip(decay.unbind(dim=2), inputs.unbind(dim=2), strict=True):  # every chunk from zero
        states.append(one_decay * states[-1] + one_input)
        products.append(one_decay * products[-1])
    starts = [torch.zeros_like(inputs[:, 0, 0]) if state is None else state]
    for product, end in zip(products[-1].unbind(dim=1), states[-1].unbind(dim=1), strict=True):
        starts.append(product * starts[-1] + end)  # a whole chunk as one step
    start = torch.stack(starts[:-1], dim=1).unsqueeze(2)  # (batch, chunks, 1, features)
    whole = torch.stack(states[1:], dim=2) + torch.stack(products[1:], dim=2) * start
    whole = whole.flatten(1, 2)[:, :tokens]
    return whole, whole[:, -1]


def check_steps(decay: Tensor, inputs: Tensor, state: Tensor | None) -> None:
    """Check the shapes of a recurrence.

    Raises:
        ValueError: no token, or shapes that do not fit.
    """
    rule = "decays and inputs must have the same shape (batch, tokens, features), with at least one token"
    fits = decay.dim() == inputs.dim() and decay.shape[:2] == inputs.shape[:2]
    fits = fits and all(one in (1, other) for one, other in zip(decay.shape[2:], inputs.shape[2:], strict=True))
    if inputs.dim() < 3 or inputs.shape[1] == 0 or not fits:
        raise ValueError(f"{rule}; got {tuple(decay.shape)} and {tuple(inputs.shape)}: expand one, or cut the other")
    expected = (len(inputs), *inputs.shape[2:])
    if state is not None and tuple(state.shape) != expected:
        raise ValueError(
            f"the state must have the shape (batch, features) = {expected}; got {tuple(state.shape)}: give the state "
            "of the same rows, or None at the beginning of a text"
        )


def read_steps(
    way: Way, decay: Decays, inputs: Steps, state: OneState | None, mask: Bool[Tensor, "batch tokens"] | None
) -> tuple[Steps, OneState]:
    """Read by one of the three ways; at padding the decay is 1 and the input 0, so the state stays as it is."""
    if mask is not None:
        padding = ~mask.unflatten(1, (-1, *[1] * (inputs.dim() - 2)))
        decay, inputs = decay.masked_fill(padding, 1.0), inputs.masked_fill(padding, 0.0)
    return {"tokens": recur, "scan": scan, "chunks": in_chunks}[way](decay, inputs, state)


class GatedRecurrence(nn.Module):
    """h_t = a_t * h_{t-1} + B x_t with decays a_t = lowest + (1 - lowest) sigmoid(A x_t + c); the output is C h_t.

    Args:
        d_model: features of a token.
        d_state: numbers of the state; d_model by default.
        lowest: the decays lie between this and 1. From 0 a state can fade; from -1 it can also be turned around
            (Grazzi et al. 2024, section 4).
        way: how it is read.
    """

    def __init__(self, d_model: int, d_state: int | None = None, lowest: float = 0.0, way: Way = "chunks") -> None:
        super().__init__()
        d_state = d_model if d_state is None else d_state
        if min(d_model, d_state) < 1 or not -1 <= lowest < 1:
            rule = "d_model and d_state must be at least 1, and lowest from -1 to below 1"
            raise ValueError(f"{rule}; got {d_model}, {d_state} and {lowest}")
        self.d_model, self.d_state, self.lowest, self.way = d_model, d_state, lowest, way
        self.decay = nn.Linear(d_model, d_state)
        self.input = nn.Linear(d_model, d_state)
        self.output = nn.Linear(d_state, d_model)
        nn.init.uniform_(self.decay.bias, 0.0, 4.0)  # sigmoid: from 0.5 to 0.98, short and long memories

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        state: State | None = None,
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> tuple[Float[Tensor, "batch tokens d_model"], State]:
        """Return the outputs and the state behind the last token; see `SequenceLayer`."""
        check_sequence(x, self.d_model, state, [(self.d_state,)], mask)
        decay = self.lowest + (1 - self.lowest) * self.decay(x).sigmoid()  # (batch, tokens, d_state)
        states, last = read_steps(self.way, decay, self.input(x), None if state is None else state[0], mask)
        output = self.output(states)
        return output if mask is None else output.masked_fill(~mask.unsqueeze(-1), 0.0), (last,)


class MinGRU(nn.Module):
    """h_t = (1 - z_t) * h_{t-1} + z_t * H x_t with z_t = sigmoid(Z x_t + c), the state is the output.

    A GRU without its reset gate, whose gate and candidate no longer see the state (Feng et al. 2024, *Were RNNs All We
    Needed?*, section 3.1). The state is a mean of the candidates with positive weights.

    Args:
        d_model: features of a token, and numbers of the state.
        way: how it is read.
    """

    def __init__(self, d_model: int, way: Way = "chunks") -> None:
        super().__init__()
        if d_model < 1:
            raise ValueError(f"d_model must be at least 1; got {d_model}")
        self.d_model, self.way = d_model, way
        self.gate = nn.Linear(d_model, d_model)
        self.candidate = nn.Linear(d_model, d_model)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        state: State | None = None,
        mask: Bool[Tensor, "batch tokens"] | None = None,
    ) -> tuple[Float[Tensor, "batch tokens d_model"], State]:
        """Return the states and the last one; see `SequenceLayer`."""
        check_sequence(x, self.d_model, state, [(self.d_model,)], mask)
        gate = self.gate(x)
        keep, take = functional.sigmoid(-gate), functional.sigmoid(gate)  # 1 - z and z
        states, last = read_steps(self.way, keep, take * self.candidate(x), None if state is None else state[0], mask)
        return states if mask is None else states.masked_fill(~mask.unsqueeze(-1), 0.0), (last,)
