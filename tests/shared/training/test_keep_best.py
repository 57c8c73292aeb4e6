"""The best weights come back, and the time to stop is that of transformers."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import EarlyStoppingCallback

from shared.training.keep_best import KeepBest

LOSSES = st.lists(st.integers(0, 5).map(float) | st.just(math.nan), min_size=1, max_size=12)


def at(model: nn.Module, value: float) -> None:
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.fill_(value)


def states(model: nn.Module) -> set[float]:
    return {value for tensor in model.state_dict().values() for value in tensor.flatten().tolist()}


@given(LOSSES)
def test_what_comes_back_is_the_state_of_the_first_lowest_loss(losses: list[float]):
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))  # buffers belong to the state
    best = KeepBest(model)
    assert (best.best_loss, best.best_step) == (math.inf, 0)
    for step, loss in enumerate(losses, start=1):
        at(model, step)  # in place, as optimizers change weights
        before = [other for other in losses[: step - 1] if not math.isnan(other)]
        assert best.update(loss, step) is (not math.isnan(loss) and loss < min(before, default=math.inf))
        assert not best.stop
    finite = [loss for loss in losses if not math.isnan(loss)]
    if not finite:
        with pytest.raises(ValueError, match=f"of {len(losses)} losses none was finite"):
            best.restore()
        return
    best.restore()
    assert best.best_loss == min(finite)
    assert best.best_step == losses.index(min(finite)) + 1
    assert states(model) == {best.best_step}


@given(LOSSES, st.integers(1, 4))
def test_training_stops_when_that_of_transformers_does(losses: list[float], patience: int):
    best, theirs = KeepBest(nn.Linear(1, 1), patience), EarlyStoppingCallback(patience)
    state = SimpleNamespace(best_metric=math.inf)  # theirs takes the first loss even if it is not a number
    for step, loss in enumerate(losses, start=1):
        theirs.check_metric_value(SimpleNamespace(greater_is_better=False), state, None, loss)
        if loss < state.best_metric:
            state.best_metric = loss
        best.update(loss, step)
        assert best.waited == theirs.early_stopping_patience_counter
        assert best.stop is (theirs.early_stopping_patience_counter >= patience)


def test_of_a_model_that_is_frozen_in_part_the_trained_parameters_alone_can_be_kept():
    model = nn.Sequential(nn.Linear(3, 3).requires_grad_(False), nn.Linear(3, 3))
    at(model, 1.0)
    best = KeepBest(nn.ParameterList(weight for weight in model.parameters() if weight.requires_grad))
    best.update(1.0, 1)
    at(model, 2.0)
    best.restore()
    assert (states(model[0]), states(model[1])) == ({2.0}, {1.0})


def test_restoring_goes_on_in_the_same_memory():
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    best = KeepBest(model)
    best.update(1.0, 1)
    best.restore()
    before = model.weight.item()
    model.weight.grad = torch.ones(1, 1)
    optimizer.step()
    assert model.weight.item() == before - 1
    best.restore()
    assert model.weight.item() == before, "what is kept does not change with the model"


@pytest.mark.parametrize("losses", [[], [math.nan], [math.inf, math.nan], [-math.inf]])
def test_without_a_finite_loss_nothing_can_be_restored(losses: list[float]):
    best = KeepBest(nn.Linear(1, 1))
    for step, loss in enumerate(losses, start=1):
        assert not best.update(loss, step)
    with pytest.raises(ValueError, match=f"of {len(losses)} losses none was finite"):
        best.restore()


def test_a_patience_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0: use None"):
        KeepBest(nn.Linear(1, 1), patience=0)
