"""RMSNorm is PyTorch's, and its output has root mean square 1."""

import pytest
import torch
from torch import nn

from shared.nn.norms import RMSNorm


def test_equals_pytorch_in_outputs_and_gradients():
    torch.manual_seed(0)
    ours, theirs, x = RMSNorm(6, 1e-3), nn.RMSNorm(6, eps=1e-3), torch.randn(2, 3, 6, requires_grad=True)
    gain = torch.randn(6)
    ours.gain.data.copy_(gain)
    theirs.weight.data.copy_(gain)
    weight = torch.randn(2, 3, 6)
    found, expected = (torch.autograd.grad((m(x) * weight).sum(), (x, *m.parameters())) for m in (ours, theirs))
    torch.testing.assert_close(ours(x), theirs(x))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_lengths_go_and_directions_stay():
    torch.manual_seed(0)
    norm, x = RMSNorm(8), torch.randn(5, 8)
    assert norm.epsilon == 1e-5
    torch.testing.assert_close(norm(x).square().mean(dim=-1), torch.ones(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(norm(1000 * x), norm(x), atol=1e-3, rtol=0)
    torch.testing.assert_close(torch.cosine_similarity(norm(x), x), torch.ones(5))
    assert not torch.allclose(norm(x + 3), norm(x), atol=0.1), "the mean is not taken away"


def test_another_width_is_refused():
    with pytest.raises(RuntimeError, match="normalized_shape"):
        RMSNorm(8)(torch.randn(2, 6))
