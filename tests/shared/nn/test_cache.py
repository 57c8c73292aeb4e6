"""The cache keeps what was appended, in order, and changes nothing of attention."""

import pytest
import torch

from shared.nn.attention import MultiHeadAttention
from shared.nn.cache import KeyValueCache

BATCH, TOKENS = 3, 7


@pytest.mark.parametrize("chunks", [[1] * TOKENS, [3, 1, 3], [3, 2, 2], [TOKENS]])
def test_cache_equals_no_cache(chunks: list[int]):
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(16, 4).eval(), torch.randn(BATCH, TOKENS, 16)
    cache = KeyValueCache(BATCH, 4, TOKENS, 4)
    parts = [attention(part, causal=True, cache=cache) for part in x.split(chunks, dim=1)]
    torch.testing.assert_close(torch.cat(parts, 1), attention(x, causal=True), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="room for 7 tokens; it would have to hold 8"):
        attention(x[:, :1], causal=True, cache=cache)


def test_rows_change_places():
    cache = KeyValueCache(3, 2, 4, 5)
    key, value = torch.randn(2, 3, 2, 3, 5)
    cache.append(key, value)
    cache.reorder(torch.tensor([2, 0, 2, 1]))
    more = torch.randn(4, 2, 1, 5)
    keys, values = cache.append(more, -more)
    assert torch.equal(keys, torch.cat([key[[2, 0, 2, 1]], more], dim=2))
    assert torch.equal(values, torch.cat([value[[2, 0, 2, 1]], -more], dim=2))


def test_a_refused_append_leaves_the_cache_as_it_was():
    cache = KeyValueCache(1, 1, 3, 2)
    cache.append(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    more = torch.full((1, 1, 2, 2), 5.0)
    with pytest.raises(ValueError, match="room for 3 tokens; it would have to hold 4"):
        cache.append(more, more)
    assert cache.length == 2
    keys, _ = cache.append(more[:, :, :1], more[:, :, :1])
    assert keys.flatten().tolist() == [1, 1, 1, 1, 5, 5]
