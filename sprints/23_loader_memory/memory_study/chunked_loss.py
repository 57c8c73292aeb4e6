"""The loss over a large vocabulary in pieces: the logits of a few tokens at a time (Wijmans et al. 2025, section 4)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional


class ChunkedCrossEntropy(torch.autograd.Function):
    """The sum of the cross-entropies of hidden @ weight^T, and its gradients, made in one pass.

    With p = softmax(logits) the gradient of a token's loss in its logits is p - onehot(label). So each piece can make
    its share of the gradients of `hidden` and `weight` at once, and forget its logits.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, hidden: Tensor, weight: Tensor, labels: Tensor, chunk: int) -> Tensor:
        grad_hidden, grad_weight = torch.empty_like(hidden), torch.zeros_like(weight)
        total = hidden.new_zeros(())
        for start in range(0, len(hidden), chunk):
            rows = slice(start, start + chunk)
            logits = hidden[rows] @ weight.T  # (chunk, vocab)
            total += functional.cross_entropy(logits, labels[rows], reduction="sum")
            slope = logits.softmax(dim=1)
            slope[torch.arange(len(slope)), labels[rows]] -= 1
            grad_hidden[rows] = slope @ weight
            grad_weight.addmm_(slope.T, hidden[rows])
            del logits, slope  # or they would live on until the next piece has its own
        ctx.save_for_backward(grad_hidden, grad_weight)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:  # ty: ignore
        grad_hidden, grad_weight = ctx.saved_tensors  # ty: ignore
        # In place: they are nobody else's, and a product would be one more of each.
        return grad_hidden.mul_(grad), grad_weight.mul_(grad), None, None


def chunked_loss(
    hidden: Float[Tensor, "tokens d_model"], weight: Float[Tensor, "vocab d_model"], labels: Int[Tensor, " tokens"],
    chunk: int,
) -> Float[Tensor, ""]:  # fmt: skip
    """Return the sum over tokens of -log softmax(hidden @ weight^T)[label], with `chunk` rows of logits at a time.

    Raises:
        ValueError: a chunk below 1.
    """
    if chunk < 1:
        raise ValueError(f"a chunk needs at least one token, got {chunk}")
    return ChunkedCrossEntropy.apply(hidden, weight, labels, chunk)
