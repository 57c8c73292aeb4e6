"""Weights, set by hand, with which a recurrent network of one layer computes products in any group.

A hidden unit stands for each pair of a product so far and a token. It is near 1 at that pair and near -1 elsewhere, so
exactly one unit is on (Minsky 1967, *Computation: Finite and Infinite Machines*, section 3.5, for any finite machine).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sequences.groups import Table
from shared.nn.recurrent import Recurrent

SHARP = 10.0  # pre-activations are this or less than minus this: tanh(10) = 1 - 4e-9


def rnn_of_table(table: Table) -> Recurrent:
    """Return an RNN of one layer whose hidden units are the pairs (product before, token), for one-hot tokens.

    A unit (before, token) is on if the last unit that was on came to `before`, and `token` is what is read:

        preactivation = 2 SHARP ([last product is before] + [token is read] - 3/2)

    Args:
        table: (elements, elements), of the group.
    """
    elements = len(table)
    network = Recurrent("rnn", elements, elements**2)
    # One unit is on: the sum over those that come to `before` is 2 - elements if it is one of them, else -elements.
    comes_to = table.flatten() == torch.arange(elements)[:, None]  # (before, last unit)
    with torch.no_grad():
        input_weight, hidden_weight, input_bias, hidden_bias = network.weights(0, 0)
        hidden_weight.copy_(SHARP * comes_to.repeat_interleave(elements, dim=0))
        input_weight.copy_(2 * SHARP * torch.eye(elements).repeat(elements, 1))
        input_bias.fill_(SHARP * elements - 3 * SHARP)
        hidden_bias.zero_()
    return network


@torch.no_grad()
def products_by_rnn(table: Table, words: Int[Tensor, "batch tokens"]) -> Int[Tensor, "batch tokens"]:
    """Return the product of all tokens up to each one, as the network of `rnn_of_table` reads them."""
    elements = len(table)
    network = rnn_of_table(table)
    start: Float[Tensor, "batch 1 hidden"] = torch.full((len(words), 1, elements**2), -1.0)
    start[:, 0, 0] = 1.0  # nothing was done so far: element 0 behind element 0
    hidden, _ = network(torch.nn.functional.one_hot(words, elements).float(), (start,))
    return table.flatten()[hidden.argmax(dim=-1)]
