"""Are our networks PyTorch's? Outputs, states and all gradients, with weights copied both ways.

    uv run sprints/18_sequence_models/equals_the_library.py

Two layers of each kind, in one and both directions, on full rows, and on rows with padding, which PyTorch packs.
Theory: notes/03_gates.md and notes/04_padding_and_documents.md
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.lengths import real_tokens
from shared.nn.recurrent import Kind, Recurrent

LIBRARY = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
TYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Config(ScriptConfig):
    features: PositiveInt = 24  # of a token
    hidden: PositiveInt = 32  # numbers of the hidden state
    layers: PositiveInt = 2  # one above the other
    tokens: PositiveInt = 30  # of a row
    batch: PositiveInt = 8  # rows; with padding, lengths are drawn from 1 to --tokens


@dataclass(frozen=True)
class Difference:
    """The largest differences of outputs and states, and of gradients, of the weights, the inputs and the state."""

    outputs: float
    gradients: float


@dataclass(frozen=True)
class Results:
    differences: dict[str, dict[str, dict[str, Difference]]]


def read_by_library(network: nn.Module, x: Tensor, state: list[Tensor], lengths: Tensor | None) -> list[Tensor]:
    """Return outputs and states of PyTorch's network, the batch first; with lengths, the rows are packed."""
    begin = [part.transpose(0, 1).contiguous() for part in state]
    hidden = tuple(begin) if len(begin) == 2 else begin[0]
    if lengths is None:
        output, end = network(x, hidden)
    else:
        packed, end = network(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False), hidden)
        output, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
    return [output, *(part.transpose(0, 1) for part in (end if len(begin) == 2 else (end,)))]


def compare(config: Config, kind: Kind, both: bool, padded: bool, dtype: torch.dtype) -> Difference:
    """Return how far our network is from PyTorch's with the same weights."""
    generator = seed_everything(config.seed)
    ours = Recurrent(kind, config.features, config.hidden, config.layers, both).to(dtype)
    theirs = LIBRARY[kind](config.features, config.hidden, config.layers, batch_first=True, bidirectional=both)
    theirs = theirs.to(dtype)
    theirs.load_state_dict(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())  # and back
    x = torch.randn(config.batch, config.tokens, config.features, dtype=dtype, requires_grad=True)
    state = [torch.randn_like(part).requires_grad_() for part in ours.start(x)]
    lengths = torch.randint(1, config.tokens + 1, (config.batch,), generator=generator) if padded else None
    mask = None if lengths is None else real_tokens(lengths, config.tokens)
    output, end = ours(x, tuple(state), mask)
    mine, its = [output, *end], read_by_library(theirs, x, state, lengths)
    sides = []
    for results, network in ((mine, ours), (its, theirs)):
        # A mean of squares: gradients have the size of one token's, as in training.
        loss = sum((part.square().mean() for part in results), start=torch.zeros((), dtype=dtype))
        sides.append(torch.autograd.grad(loss, [x, *state, *network.parameters()]))
    return Difference(*(largest(left, right) for left, right in ((mine, its), (sides[0], sides[1]))))


def largest(left: list[Tensor] | tuple[Tensor, ...], right: list[Tensor] | tuple[Tensor, ...]) -> float:
    """Return the largest difference of tensors that stand side by side."""
    return max((a - b).abs().max().item() for a, b in zip(left, right, strict=True))


def main(config: Config) -> Results:
    kinds: tuple[Kind, ...] = ("rnn", "lstm", "gru")
    cases = {"": (False, False), ", both directions": (True, False), ", padding": (False, True)}
    cases |= {", both directions, padding": (True, True)}
    found: dict[str, dict[str, dict[str, Difference]]] = {}
    for name, dtype in TYPES.items():
        found[name] = {}
        for kind in kinds:
            rows = {f"nn.{kind.upper()}{case}": compare(config, kind, *how, dtype) for case, how in cases.items()}
            found[name][kind] = rows
            for row, difference in rows.items():
                print(f"{name} {row:<36}{difference.outputs:.0e}, gradients {difference.gradients:.0e}")
    return Results(found)


if __name__ == "__main__":
    tolerances = {"differences.float32.*": Tolerance(absolute=1e-5), "differences.float64.*": Tolerance(absolute=1e-10)}
    run(main, Config, tolerance=tolerances)
