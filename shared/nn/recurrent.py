"""Recurrent networks: Elman's RNN, LSTM and GRU, in one or several layers, in one or both directions.

The parameters have the names, shapes and order of gates of `nn.RNN`, `nn.LSTM` and `nn.GRU`, so weights are copied
both ways by `load_state_dict`; outputs and gradients are theirs, of packed rows too.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import State

Kind = Literal["rnn", "lstm", "gru"]
Hidden = Float[Tensor, "batch hidden"]
Tokens = Float[Tensor, "batch tokens input"]
GATES: dict[Kind, int] = {"rnn": 1, "gru": 3, "lstm": 4}  # row blocks of each weight


def rnn_step(from_input: Hidden, state: tuple[Hidden], weight: Tensor, bias: Tensor) -> tuple[Hidden]:
    """Return h' = tanh(W x + b + U h + c), where W x + b is given (Elman 1990).

    Args:
        from_input: W x + b, (batch, hidden).
        state: h.
        weight: U, (hidden, hidden).
        bias: c, (hidden,).
    """
    return (torch.tanh(from_input + functional.linear(state[0], weight, bias)),)


def lstm_step(
    from_input: Float[Tensor, "batch gates"], state: tuple[Hidden, Hidden], weight: Tensor, bias: Tensor
) -> tuple[Hidden, Hidden]:
    """Return h' = o * tanh(c') and c' = f * c + i * g (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    Args:
        from_input: W x + b, (batch, 4 hidden): the input gate i, the forget gate f, the candidate g, the output gate o.
        state: h and c.
        weight: U, (4 hidden, hidden).
        bias: the second bias, (4 hidden,).
    """
    hidden, cell = state
    gates = from_input + functional.linear(hidden, weight, bias)
    input_gate, forget_gate, candidate, output_gate = gates.chunk(4, dim=-1)  # each (batch, hidden)
    cell = forget_gate.sigmoid() * cell + input_gate.sigmoid() * candidate.tanh()
    return output_gate.sigmoid() * cell.tanh(), cell


def gru_step(
    from_input: Float[Tensor, "batch gates"], state: tuple[Hidden], weight: Tensor, bias: Tensor
) -> tuple[Hidden]:
    """Return h' = (1 - z) * n + z * h with n = tanh(W x + b + r * (U h + c)) (Cho et al. 2014).

    Cho et al. multiply by r in front of U; behind it, as in cuDNN and PyTorch, U is one product for all three, and the
    second bias cannot be added to the first.

    Args:
        from_input: W x + b, (batch, 3 hidden): the reset gate r, the update gate z, the candidate n.
        state: h.
        weight: U, (3 hidden, hidden).
        bias: c, (3 hidden,).
    """
    (hidden,) = state
    reset_x, update_x, candidate_x = from_input.chunk(3, dim=-1)
    reset_h, update_h, candidate_h = functional.linear(hidden, weight, bias).chunk(3, dim=-1)
    reset, update = (reset_x + reset_h).sigmoid(), (update_x + update_h).sigmoid()
    candidate = (candidate_x + reset * candidate_h).tanh()
    return ((1 - update) * candidate + update * hidden,)


STEPS: dict[Kind, Callable[..., State]] = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


class Recurrent(nn.Module):
    """A recurrent network, a `SequenceLayer` from input_size to hidden_size features (twice that in both directions).

    Args:
        kind: rnn, lstm or gru.
        input_size: features of a token.
        hidden_size: numbers of the hidden state.
        layers: one above the other; each reads the outputs of the one below it.
        bidirectional: whether each layer reads from right to left as well; then it cannot be read in pieces.
    """

    def __init__(
        self, kind: Kind, input_size: int, hidden_size: int, layers: int = 1, bidirectional: bool = False
    ) -> None:
        super().__init__()
        if min(input_size, hidden_size, layers) < 1:
            raise ValueError(f"sizes and layers must be at least 1; got {input_size}, {hidden_size} and {layers}")
        self.kind: Kind = kind
        self.input_size, self.hidden_size, self.layers = input_size, hidden_size, layers
        self.directions = 2 if bidirectional else 1
        rows, bound = GATES[kind] * hidden_size, 1 / math.sqrt(hidden_size)
        for layer in range(layers):
            width = input_size if layer == 0 else hidden_size * self.directions
            for suffix in ("", "_reverse")[: self.directions]:
                shapes = {"weight_ih": (rows, width), "weight_hh": (rows, hidden_size), "bias_ih": (rows,)}
                for name, shape in (shapes | {"bias_hh": (rows,)}).items():
                    parameter = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
                    self.register_parameter(f"{name}_l{layer}{suffix}", parameter)

    def forward(
        self, x: Tokens, state: State | None = None, mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> tuple[Float[Tensor, "batch tokens output"], State]:
        """Return the hidden state of the last layer at each token, and the state of all layers behind the last token.

        Args:
            x: (batch, tokens, input_size).
            state: (batch, layers * directions, hidden_size); of an LSTM two of these, h and c. None for zeros.
            mask: True where a token is real, on whichever side padding stands; None if all are.

        Raises:
            ValueError: no token, or shapes that do not fit.
        """
        state = self.start(x, state, mask)
        ends: list[State] = []
        for layer in range(self.layers):
            outputs = []
            for direction in range(self.directions):
                begin = tuple(part[:, len(ends)] for part in state)
                output, end = self.read(x, begin, mask, self.weights(layer, direction), backwards=direction == 1)
                outputs.append(output)
                ends.append(end)
            x = torch.cat(outputs, dim=-1)
        return x, tuple(torch.stack(parts, dim=1) for parts in zip(*ends, strict=True))

    def read(
        self, x: Tokens, state: State, mask: Tensor | None, weights: list[Tensor], backwards: bool
    ) -> tuple[Float[Tensor, "batch tokens hidden"], State]:
        """Read the tokens of one layer in one direction, one after the other."""
        step, (weight_ih, weight_hh, bias_ih, bias_hh) = STEPS[self.kind], weights
        from_inputs = functional.linear(x, weight_ih, bias_ih).unbind(dim=1)  # all tokens in one product
        outputs: list[Tensor] = [x] * len(from_inputs)
        places = range(len(from_inputs))
        for place in reversed(places) if backwards else places:
            new = step(from_inputs[place], state, weight_hh, bias_hh)
            if mask is None:
                outputs[place], state = new[0], new
            else:
                real = mask[:, place, None]  # padding leaves the state as it is
                state = tuple(torch.where(real, after, before) for after, before in zip(new, state, strict=True))
                outputs[place] = new[0] * real
        return torch.stack(outputs, dim=1), state

    def weights(self, layer: int, direction: int = 0) -> list[Tensor]:
        """Return the two weights and the two biases of a layer."""
        suffix = f"_l{layer}{'_reverse' if direction else ''}"
        return [self.get_parameter(name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def start(self, x: Tokens, state: State | None = None, mask: Tensor | None = None) -> State:
        """Return the state in front of the first token: the one that is given, if it fits, else zeros.

        Raises:
            ValueError: no token, or shapes that do not fit.
        """
        shape, parts = (self.layers * self.directions, self.hidden_size), 2 if self.kind == "lstm" else 1
        check_sequence(x, self.input_size, state, [shape] * parts, mask)
        return (x.new_zeros(len(x), *shape),) * parts if state is None else state

    @torch.no_grad()
    def set_forget_bias(self, value: float) -> None:
        """Let the forget gates of an LSTM begin with this bias: both biases are added, so one gets it, the other zero.

        Raises:
            ValueError: the network has no forget gate.
        """
        if self.kind != "lstm":
            raise ValueError(f"only an lstm has a forget gate; this is a {self.kind}")
        forget = slice(self.hidden_size, 2 * self.hidden_size)
        for layer in range(self.layers):
            for direction in range(self.directions):
                _, _, first, second = self.weights(layer, direction)
                first[forget], second[forget] = value, 0.0
