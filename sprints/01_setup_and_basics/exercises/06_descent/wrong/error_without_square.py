"""The mean of the differences themselves, which has no lowest point."""

import torch


def fit_line(inputs, targets, learning_rate, steps):
    line = torch.zeros(2, requires_grad=True)
    for _ in range(steps):
        loss = (line[0] * inputs + line[1] - targets).mean()
        loss.backward()
        with torch.no_grad():
            line -= learning_rate * line.grad
        line.grad = None
    return line.detach()
