"""The way back undoes each line of the way forwards, in the opposite order."""

import torch
from torch import Tensor
from torch.nn import functional


def forward(
    inputs: Tensor, hidden_weight: Tensor, hidden_bias: Tensor, output_weight: Tensor, output_bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the hidden features and the logits."""
    hidden = torch.tanh(inputs @ hidden_weight + hidden_bias)  # (examples, hidden)
    return hidden, hidden @ output_weight + output_bias  # (examples, classes)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the examples of minus the logarithm of the probability of the right class."""
    shifted = logits - logits.max(dim=1, keepdim=True).values  # changes no probability, and nothing overflows
    log_probabilities = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -log_probabilities[torch.arange(len(labels)), labels].mean()


def gradients(
    inputs: Tensor,
    labels: Tensor,
    hidden_weight: Tensor,
    hidden_bias: Tensor,
    output_weight: Tensor,
    output_bias: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradient of the cross-entropy by hidden weight, hidden bias, output weight and output bias."""
    hidden, logits = forward(inputs, hidden_weight, hidden_bias, output_weight, output_bias)
    truth = functional.one_hot(labels, logits.shape[1])
    to_logits = (logits.softmax(dim=1) - truth) / len(labels)  # (examples, classes)
    to_hidden = to_logits @ output_weight.mT  # (examples, hidden)
    to_sums = to_hidden * (1 - hidden**2)
    return inputs.mT @ to_sums, to_sums.sum(dim=0), hidden.mT @ to_logits, to_logits.sum(dim=0)
