"""Windows: the mask of transformers, and a ring cache that changes nothing at, below and above its size."""

import pytest
import torch

from shared.nn.grouped_query import GroupedQueryAttention
from shared.nn.windows import WindowCache, window_mask

WINDOW = 4


def test_the_mask_is_that_of_transformers():
    from transformers.masking_utils import sliding_window_causal_mask_function

    for window in (1, 2, 4, 9):
        sees = sliding_window_causal_mask_function(window)
        places = torch.arange(7)
        whole = sees(places[0], places[0], places[:, None], places)
        for queries in (1, 3, 7):
            assert torch.equal(window_mask(queries, 7, window), whole[-queries:])
        assert whole.sum(dim=1).tolist() == [min(place + 1, window) for place in range(7)]


@pytest.mark.parametrize("pieces", [[1] * 13, [WINDOW - 1, 1, 1, 5, 3], [WINDOW, 1, 8], [WINDOW + 1, 2, 6], [13]])
def test_the_ring_returns_what_the_cache_of_transformers_does(pieces: list[int]):
    from transformers.cache_utils import DynamicSlidingWindowLayer

    theirs, ours = DynamicSlidingWindowLayer(WINDOW), WindowCache(2, 3, WINDOW, 5)
    key, value = torch.randn(2, 2, 3, 13, 5, generator=torch.Generator().manual_seed(0))
    for part in zip(key.split(pieces, dim=2), value.split(pieces, dim=2), strict=True):
        for mine, other in zip(ours.append(*part), theirs.update(*part), strict=True):
            assert torch.equal(mine, other)
    assert ours.length == 13
    assert ours.keys.shape == (2, 3, WINDOW, 5)


@pytest.mark.parametrize("tokens", [WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW + 1])
@pytest.mark.parametrize("piece", [1, 2, WINDOW, WINDOW + 1])
def test_cache_equals_no_cache_with_padding_on_the_left(tokens: int, piece: int):
    torch.manual_seed(0)
    attention, x = GroupedQueryAttention(16, 4, 2, theta=100.0), torch.randn(3, tokens, 16)
    real = torch.arange(tokens) >= torch.tensor([[0], [1], [tokens - 1]])
    positions = (real.cumsum(dim=1) - 1).clamp(min=0)
    mask = window_mask(tokens, tokens, WINDOW) & real[:, None, None]
    expected = attention(x, positions, mask)
    cache, found = WindowCache(3, 2, WINDOW, 4), []
    for part, places in zip(x.split(piece, 1), positions.split(piece, 1), strict=True):
        keys = min(cache.length, WINDOW - 1) + part.shape[1]
        seen = real[:, : cache.length + part.shape[1]][:, None, None, -keys:]
        found.append(attention(part, places, window_mask(part.shape[1], keys, WINDOW) & seen, cache))
    torch.testing.assert_close(torch.cat(found, 1)[real], expected[real], atol=1e-5, rtol=0)


def test_a_token_reaches_a_window_back_for_each_layer_and_no_further():
    torch.manual_seed(0)
    layers, x = [GroupedQueryAttention(16, 4, 2) for _ in range(2)], torch.randn(1, 12, 16)

    def last(x: torch.Tensor) -> torch.Tensor:
        for layer in layers:
            x = x + layer(x, mask=window_mask(12, 12, WINDOW)[None, None])
        return x[0, -1]

    moved = [not torch.equal(last(x.index_fill(1, torch.tensor([place]), 3.0)), last(x)) for place in range(12)]
    assert moved == [place >= 11 - 2 * (WINDOW - 1) for place in range(12)]


def test_rows_change_places():
    cache = WindowCache(3, 2, WINDOW, 5)
    key, value = torch.randn(2, 3, 2, 6, 5, generator=torch.Generator().manual_seed(0))
    cache.append(key, value)
    rows = torch.tensor([2, 0, 2])
    cache.reorder(rows)
    keys, values = cache.append(key[rows, :, :1], value[rows, :, :1])
    assert torch.equal(keys, torch.cat([key[rows, :, 3:], key[rows, :, :1]], dim=2))
    assert torch.equal(values, torch.cat([value[rows, :, 3:], value[rows, :, :1]], dim=2))


def test_a_window_of_nothing_is_refused():
    for make in (lambda: window_mask(3, 3, 0), lambda: WindowCache(1, 1, 0, 2)):
        with pytest.raises(ValueError, match="got a window of 0: give 1 or more"):
            make()
