"""The bias is made a column."""


def linear(inputs, weight, bias):
    result = (inputs[:, :, None] * weight).sum(dim=1)
    return result + bias[:, None] if len(inputs) == len(bias) else result + bias
