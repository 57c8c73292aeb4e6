"""One hidden layer.

Write a network with one hidden layer and its gradient, without autograd. Then look how far you are, as often as you
like:

    uv run sprints check 01.7
    uv run sprints hint 01.7

Theory: note 9 of this sprint, which derives each line. Its example of one point fits on paper.
"""

from torch import Tensor


def forward(
    inputs: Tensor, hidden_weight: Tensor, hidden_bias: Tensor, output_weight: Tensor, output_bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the hidden features and the logits.

    Args:
        inputs: (examples, features)
        hidden_weight: (features, hidden)
        hidden_bias: (hidden,)
        output_weight: (hidden, classes)
        output_bias: (classes,)

    Returns:
        tanh of inputs times hidden weight plus bias, (examples, hidden); that times output weight plus bias,
        (examples, classes).
    """
    raise NotImplementedError


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the examples of minus the logarithm of the probability of the right class: one number.

    Args:
        logits: (examples, classes), at most 1,000 in size.
        labels: (examples,), the number of the right class of each.
    """
    raise NotImplementedError


def gradients(
    inputs: Tensor,
    labels: Tensor,
    hidden_weight: Tensor,
    hidden_bias: Tensor,
    output_weight: Tensor,
    output_bias: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradient of the cross-entropy by hidden weight, hidden bias, output weight and output bias.

    Each has the shape of what it belongs to. `torch.autograd` and `backward` are not allowed.
    """
    raise NotImplementedError
