"""The gradient goes through tanh unchanged."""

import torch
from torch.nn import functional


def gradients(inputs, labels, hidden_weight, hidden_bias, output_weight, output_bias):
    hidden = torch.tanh(inputs @ hidden_weight + hidden_bias)
    logits = hidden @ output_weight + output_bias
    truth = functional.one_hot(labels, logits.shape[1])
    to_logits = (logits.softmax(dim=1) - truth) / len(labels)
    to_sums = to_logits @ output_weight.mT
    return inputs.mT @ to_sums, to_sums.sum(dim=0), hidden.mT @ to_logits, to_logits.sum(dim=0)
