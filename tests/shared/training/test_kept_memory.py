"""What a forward pass keeps: counted by hand."""

import torch

from shared.training.kept_memory import kept_for_backward


def test_what_is_kept_of_known_work():
    layer, x = torch.nn.Linear(10, 20, bias=False), torch.ones(1000, 10)
    exponentials = 2 * 1000 * 20 * 4  # the result of each one
    assert kept_for_backward(lambda: layer(x).exp().exp(), [*layer.parameters(), x]) == exponentials
    # Not known, the input is kept for the weights' gradient; the weights are not, for the input has none.
    assert kept_for_backward(lambda: layer(x).exp().exp()) == exponentials + 1000 * 10 * 4


def test_views_of_one_memory_count_once_and_nothing_is_kept_without_gradients():
    x = torch.ones(1000, requires_grad=True)

    def twice() -> torch.Tensor:
        y = 2 * x
        return (y[:500] * y[500:]).sum()

    assert kept_for_backward(twice) == 4 * 1000
    with torch.no_grad():
        assert kept_for_backward(twice) == 0
