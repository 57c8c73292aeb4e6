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


def token_ids(length=9):
    """Return two rows of ids below 13."""
    return torch.randint(13, (2, length), generator=torch.Generator().manual_seed(3))


def no_zeros_and_no_ones(model):
    """Return a model of transformers whose weights all differ: an exchanged one would not be seen otherwise."""
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


def check_logits_and_gradients(ours, theirs, names):
    """Check that a model has the logits of transformers', and for each of its parameters the same gradient."""
    ids, weight = token_ids(), torch.randn(2, 9, 13)
    logits, _ = ours(ids)
    expected = theirs(ids, use_cache=False).logits
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)
    (logits * weight).sum().backward()
    (expected * weight).sum().backward()
    there = {"embedding.weight": "backbone.embeddings.weight", "norm.gain": "backbone.norm_f.weight"}
    there |= {"head.weight": "lm_head.weight"}
    for index in range(len(ours.layers)):
        there[f"layers.{index}.norm.gain"] = f"backbone.layers.{index}.norm.weight"
        there |= {f"layers.{index}.layer.{own}": f"backbone.layers.{index}.mixer.{name}" for own, name in names.items()}
    for name, parameter in ours.named_parameters():
        gradient = theirs.get_parameter(there[name]).grad.view_as(parameter)
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5 * max(1, gradient.abs().max()), rtol=0)


def check_padding(ours, theirs):
    """Check that a model has the logits of transformers' where rows are padded on the left, and on the right."""
    ids = token_ids()
    for mask in (torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1, 1], [1] * 9]), torch.tensor([[1] * 5 + [0] * 4, [1] * 9])):
        logits, _ = ours(ids, None, mask.bool())
        expected = theirs(ids, attention_mask=mask, use_cache=False).logits
        torch.testing.assert_close(logits[mask.bool()], expected[mask.bool()], atol=1e-5, rtol=0)
