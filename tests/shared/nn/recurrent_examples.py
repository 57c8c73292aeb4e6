"""What the tests of both recurrent modules share: a network, PyTorch's with the same weights, and padded rows."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from shared.nn.lengths import real_tokens

KINDS = ("rnn", "lstm", "gru")
LIBRARY = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
LENGTHS = torch.tensor([2, 5, 1, 4])


def pair(layer, kind, *, layers=2, bidirectional=False, dtype=torch.float64):
    """Return a network of ours and PyTorch's with its weights."""
    torch.manual_seed(0)
    ours = layer(kind, 3, 4, layers, bidirectional).to(dtype)
    theirs = LIBRARY[kind](3, 4, layers, batch_first=True, bidirectional=bidirectional).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def begin(ours, batch, dtype=torch.float64):
    """Return a state that is not zero, with a gradient."""
    shape = (batch, ours.layers * ours.directions, ours.hidden_size)
    return tuple(torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(2 if ours.kind == "lstm" else 1))


def gradients(network, x, state, output, end):
    """Return the gradients of everything that a network reads, for a loss of all that it returns."""
    loss = output.pow(3).sum() + sum(part.pow(2).sum() for part in end)
    return torch.autograd.grad(loss, [x, *state, *network.parameters()])


def read_by_pytorch(theirs, x, state, lengths=None):
    """Return outputs and state of PyTorch's network, with the batch first; padded rows are packed."""
    hidden = tuple(part.transpose(0, 1).contiguous() for part in state)
    if lengths is None:
        output, end = theirs(x, hidden if len(hidden) == 2 else hidden[0])
    else:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        packed, end = theirs(packed, hidden if len(hidden) == 2 else hidden[0])
        output, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
    return output, tuple(part.transpose(0, 1) for part in (end if len(hidden) == 2 else (end,)))


def to_the_left(x):
    """Return rows with their padding moved to the left."""
    padded = torch.zeros_like(x)
    padded[real_tokens(LENGTHS, x.shape[1], left=True)] = x[real_tokens(LENGTHS, x.shape[1])]
    return padded
