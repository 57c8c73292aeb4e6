"""Checks of the training loop: beside one that can leave out each of its lines."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.checking import expect


class HalvedInTraining(nn.Module):
    """Halve everything in training mode, nothing in evaluation mode; count the graphs of evaluations that are left."""

    def __init__(self) -> None:
        super().__init__()
        self.graphs_left = 0

    def forward(self, features: Tensor) -> Tensor:
        if self.training:
            return features / 2
        if features.requires_grad:
            self.graphs_left += 1
            features.register_hook(self.use_graph)
        return features

    def use_graph(self, _: Tensor) -> None:
        """Note that a backward pass has come through: a graph that is used up was there for training."""
        self.graphs_left -= 1


def make_model() -> nn.Sequential:
    """Return a model in evaluation mode, as it comes from somewhere else."""
    linear = nn.Linear(2, 1)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[0.5, -0.5]]))
        linear.bias.zero_()
    return nn.Sequential(linear, HalvedInTraining()).eval()


def make_data() -> dict[str, Tensor]:
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.5], [2.0, -1.0]])
    y = torch.tensor([[1.0], [2.0], [2.5], [0.5], [-1.0]])
    return {"x": x, "y": y, "validation_x": x[:2] + 1, "validation_y": y[:2] + 1}


def reference(
    model: nn.Module, data: dict[str, Tensor], epochs: int, batch_size: int, lr: float, fault: str = ""
) -> Tensor:
    """Train with one thing wrong, or with nothing."""
    optimizer, history = torch.optim.SGD(model.parameters(), lr=lr), []
    x, y = data["x"], data["y"]
    size = len(x) if fault == "one batch" else batch_size
    if fault == "train once":
        model.train()
    for _ in range(epochs):
        if fault not in ("train once", "never train"):
            model.train()
        losses, counts = [], []
        if fault == "new optimizer":
            optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        for inputs, targets in zip(x.split(size), y.split(size), strict=True):
            if fault == "last batch dropped" and len(inputs) < size:
                continue
            loss = functional.mse_loss(model(inputs), targets)
            if fault != "no zero_grad":
                optimizer.zero_grad()
            loss.backward()
            if fault != "no step":
                optimizer.step()
            losses.append(loss.item())
            counts.append(len(inputs))
        if fault == "mean of means":
            mean = sum(losses) / len(losses)
        elif fault == "sum of means":
            mean = sum(losses)
        elif fault == "last loss":
            mean = losses[-1]
        else:
            mean = sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
        if fault != "no eval":
            model.eval()
        with torch.no_grad():
            kind = ("x", "y") if fault == "training data" else ("validation_x", "validation_y")
            history.append([mean, functional.mse_loss(model(data[kind[0]]), data[kind[1]]).item()])
    return torch.tensor(history)


FAULTS = {
    "no zero_grad": "Gradients pile up: zero_grad is missing.",
    "no step": "Nothing is learnt: backward or step is missing, or zero_grad stands between the two.",
    "train once": "From the second epoch on the model is in evaluation mode: train() belongs into the loop.",
    "never train": "The model never is in training mode: call train() before each epoch.",
    "no eval": "The validation loss is measured in training mode: call eval() first.",
    "one batch": "Each epoch is one step with all examples: cut them into batches.",
    "mean of means": "The training loss is a mean of batch means: the smaller last batch counts too much.",
    "sum of means": "The losses of the batches are added up and not divided.",
    "last loss": "The training loss is that of the last batch only.",
    "last batch dropped": "The last batch is left out if it is smaller.",
    "training data": "The validation loss is measured on the training data.",
}


def given_with(model: nn.Module, epochs: int, batch_size: int, lr: float) -> dict[str, Any]:
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": lr}
    return {"model": model, **make_data(), **settings}


def compare(learner: Any, epochs: int, batch_size: int, lr: float) -> None:
    data = make_data()
    expected = reference(make_model(), data, epochs, batch_size, lr)
    mistakes = {
        sentence: reference(make_model(), data, epochs, batch_size, lr, fault) for fault, sentence in FAULTS.items()
    }
    expect(learner.train, given_with(make_model(), epochs, batch_size, lr), expected, mistakes)


def check_one_epoch(learner: Any) -> None:
    """One epoch of one batch: a single step."""
    compare(learner, 1, 5, 0.1)


def check_batches(learner: Any) -> None:
    """One epoch of batches of 2, 2 and 1."""
    compare(learner, 1, 2, 0.1)


def check_epochs(learner: Any) -> None:
    """Three epochs."""
    compare(learner, 3, 2, 0.1)


def check_weights(learner: Any) -> None:
    """The model itself is trained, not a copy of it."""
    model = make_model()
    reference(model, make_data(), 3, 2, 0.1)

    def weights_after_training(model: nn.Module, *rest: Any) -> Tensor:
        learner.train(model, *rest)
        return nn.utils.parameters_to_vector(model.parameters()).detach()

    mistakes = {"The model is as it was before: train it, and not a copy.": nn.utils.parameters_to_vector(
        make_model().parameters()).detach()}  # fmt: skip
    expected = nn.utils.parameters_to_vector(model.parameters()).detach()
    expect(weights_after_training, given_with(make_model(), 3, 2, 0.1), expected, mistakes)


def check_nothing_is_kept(learner: Any) -> None:
    """The evaluation keeps no graph, and neither does what is returned."""

    def keeps_a_graph(model: nn.Sequential, *rest: Any) -> Tensor:
        history, last = learner.train(model, *rest), model[1]
        assert isinstance(last, HalvedInTraining)
        return torch.tensor([last.graphs_left > 0, history.requires_grad])

    mistakes = {
        "The evaluation keeps a graph: put it into `with torch.no_grad():`.": torch.tensor([True, False]),
        "What is returned holds the graphs of all batches: use .item().": torch.tensor([False, True]),
        "The evaluation keeps a graph (use torch.no_grad()), and so does what is returned (use .item()).": (
            torch.tensor([True, True])
        ),
    }
    expect(keeps_a_graph, given_with(make_model(), 2, 2, 0.1), torch.tensor([False, False]), mistakes)
