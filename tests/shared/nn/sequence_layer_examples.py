"""What the tests of layers with a state share: the same in pieces, padding on either side, gradients by each way."""

import torch

from shared.checks.streaming import check_streaming
from shared.nn.lengths import real_tokens

LENGTHS = torch.tensor([2, 7, 1, 5])


def to_the_left(x):
    """Return rows with their padding moved to the left, filled with a number that must not be read."""
    moved = torch.full_like(x, torch.e)
    moved[real_tokens(LENGTHS, x.shape[1], left=True)] = x[real_tokens(LENGTHS, x.shape[1])]
    return moved


def check_layer(layer, d_model, tolerance=1e-10):
    """Check that a layer in float64 is the same in pieces, never looks ahead, and takes no notice of padding."""
    x = torch.randn(4, 7, d_model, dtype=torch.float64)
    check_streaming(layer, x, tolerance=tolerance)
    changed = x.clone()
    changed[:, 4:] += 1
    before, after = layer(x)[0], layer(changed)[0]
    torch.testing.assert_close(before[:, :4], after[:, :4], rtol=0, atol=tolerance)
    assert before[:, 4:].ne(after[:, 4:]).all()

    _, state = layer(torch.randn(4, 3, d_model, dtype=torch.float64))
    right, left = real_tokens(LENGTHS, 7), real_tokens(LENGTHS, 7, left=True)
    of_right, end = layer(x, state, right)
    of_left, same_end = layer(to_the_left(x), state, left)
    torch.testing.assert_close(of_left[left], of_right[right], rtol=0, atol=tolerance)
    torch.testing.assert_close(same_end, end, rtol=0, atol=tolerance)
    assert of_left[~left].eq(0).all()
    assert of_right[~right].eq(0).all()
    for row, length in enumerate(LENGTHS):  # each row by itself, without padding
        alone, its_end = layer(x[row : row + 1, :length], tuple(part[row : row + 1] for part in state))
        torch.testing.assert_close(of_right[row : row + 1, :length], alone, rtol=0, atol=tolerance)
        torch.testing.assert_close(tuple(part[row : row + 1] for part in end), its_end, rtol=0, atol=tolerance)
    _, kept = layer(x, state, torch.zeros(4, 7, dtype=torch.bool))
    torch.testing.assert_close(kept, state, rtol=0, atol=0)


def all_gradients(layer, x, state):
    """Return outputs, state and the gradients of everything that a layer reads, for a loss of all that it returns."""
    leaves = [x, *state, *layer.parameters()]
    output, end = layer(x, state)
    loss = output.pow(3).sum() + sum(part.abs().pow(2).sum() for part in end)
    return [output, *end, *torch.autograd.grad(loss, leaves)]


def check_ways(build, ways, d_model, dtype=torch.float64, tolerance=1e-10):
    """Check that a layer read in different ways has the same outputs and the same gradient for every parameter."""
    layer = build(ways[0]).to(dtype)
    x = torch.randn(2, 11, d_model, dtype=dtype, requires_grad=True)
    state = tuple(part.detach().requires_grad_() for part in layer(torch.randn(2, 3, d_model, dtype=dtype))[1])
    expected = all_gradients(layer, x, state)
    for way in ways[1:]:
        layer.way = way
        for one, other in zip(all_gradients(layer, x, state), expected, strict=True):
            torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
