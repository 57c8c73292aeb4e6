"""Endless shuffled batches come in the orders of PyTorch's sampler, and every epoch has every row once."""

import itertools

import pytest
import torch
from torch.utils.data import RandomSampler

from shared.training.shuffling import shuffled_rows


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_orders_are_those_of_the_sampler_of_torch():
    theirs = list(RandomSampler(range(7), num_samples=21, generator=seeded()))
    batches = list(itertools.islice(shuffled_rows(7, 3, seeded()), 9))
    assert torch.cat(batches).tolist() == theirs
    assert list(map(len, batches)) == [3, 3, 1] * 3


@pytest.mark.parametrize(("count", "batch_size"), [(7, 3), (6, 3), (2, 5), (1, 1)])
def test_each_epoch_has_every_row_once_in_an_order_of_its_own(count: int, batch_size: int):
    per_epoch = -(-count // batch_size)
    batches = shuffled_rows(count, batch_size, seeded())
    epochs = [torch.cat(list(itertools.islice(batches, per_epoch))).tolist() for _ in range(30)]
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 1 or count == 1


@pytest.mark.parametrize(("count", "batch_size"), [(0, 3), (3, 0)])
def test_batches_of_nothing_are_refused(count: int, batch_size: int):
    with pytest.raises(ValueError, match=f"got {count} and {batch_size}"):
        next(shuffled_rows(count, batch_size, seeded()))
