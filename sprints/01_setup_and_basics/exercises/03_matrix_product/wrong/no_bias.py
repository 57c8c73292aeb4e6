"""The bias is forgotten."""


def linear(inputs, weight, bias):
    return (inputs[:, :, None] * weight).sum(dim=1)
