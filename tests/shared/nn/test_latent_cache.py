"""The cache of latent attention: it holds what was given, row by row, and no more than there is room for."""

import pytest
import torch

from shared.nn.latent_cache import LatentCache


def test_it_returns_all_so_far_and_can_be_reordered():
    cache, kept = LatentCache(2, 5, 3), torch.arange(24.0).view(2, 4, 3)
    torch.testing.assert_close(cache.append(kept[:, :3]), kept[:, :3])
    torch.testing.assert_close(cache.append(kept[:, 3:]), kept)
    cache.reorder(torch.tensor([1, 1, 0]))
    more = torch.full((3, 1, 3), -1.0)
    torch.testing.assert_close(cache.append(more), torch.cat([kept[[1, 1, 0]], more], dim=1))


def test_more_than_there_is_room_for_is_refused_and_changes_nothing():
    cache = LatentCache(1, 2, 3)
    cache.append(torch.ones(1, 1, 3))
    with pytest.raises(ValueError, match="room for 2 tokens; it would have to hold 3"):
        cache.append(torch.zeros(1, 2, 3))
    assert cache.length == 1
