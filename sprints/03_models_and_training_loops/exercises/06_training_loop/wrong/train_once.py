"""train() stands before the loop."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def train(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    validation_x: Tensor,
    validation_y: Tensor,
    epochs: int,
    batch_size: int,
    learning_rate: float,
) -> Tensor:
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    model.train()
    history = []
    for _ in range(epochs):
        total = 0.0
        for inputs, targets in zip(x.split(batch_size), y.split(batch_size), strict=True):
            loss = functional.mse_loss(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        model.eval()
        with torch.no_grad():
            validation_loss = functional.mse_loss(model(validation_x), validation_y).item()
        history.append([total / len(x), validation_loss])
    return torch.tensor(history)
