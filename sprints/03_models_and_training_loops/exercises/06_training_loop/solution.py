"""Five lines for each batch, and an evaluation after each epoch."""

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
    """Train a model by SGD on the mean squared error, and evaluate it after each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    history = []
    for _ in range(epochs):
        model.train()  # in each epoch: the evaluation below has switched it off
        total = 0.0
        for inputs, targets in zip(x.split(batch_size), y.split(batch_size), strict=True):
            predictions = model(inputs)
            loss = functional.mse_loss(predictions, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)  # the last batch may be smaller
        model.eval()
        with torch.no_grad():
            validation_loss = functional.mse_loss(model(validation_x), validation_y).item()
        history.append([total / len(x), validation_loss])
    return torch.tensor(history)
