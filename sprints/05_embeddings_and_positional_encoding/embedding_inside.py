"""What is inside nn.Embedding? A product with one-hot rows that nobody computes, and a gradient that adds up rows.

    uv run sprints/05_embeddings_and_positional_encoding/embedding_inside.py

`Lookup` has both passes written out; `Embedding` around it equals nn.Embedding. Theory: notes/01_a_table_of_vectors.md
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    vocab: PositiveInt = 2000  # distinct tokens
    features: PositiveInt = 32  # features of a vector
    batch: PositiveInt = 8  # rows of a batch
    tokens: PositiveInt = 16  # tokens of a row


@dataclass(frozen=True)
class Results:
    one_hot_value_difference: float
    one_hot_gradient_difference: float
    library_difference_dense: float
    library_difference_sparse: float
    multiplications_of_the_product: int


class Lookup(torch.autograd.Function):
    """Rows of a matrix by number: output[i] = weight[tokens[i]].

    The gradient of a row is the sum of the gradients of its copies; the padding row gets none.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, tokens: Tensor, padding: int | None, sparse: bool) -> Tensor:
        ctx.save_for_backward(tokens)
        ctx.shape, ctx.padding, ctx.sparse = weight.shape, padding, sparse
        return weight[tokens]  # (..., features)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        rows, gradients = ctx.saved_tensors[0].flatten(), upstream[0].flatten(0, -2)
        if ctx.padding is not None:
            real = rows != ctx.padding
            rows, gradients = rows[real], gradients[real]
        if ctx.sparse:
            # Only the rows that were read; a row that was read twice stands there twice and counts as the sum.
            stored = torch.sparse_coo_tensor(rows[None], gradients, ctx.shape, check_invariants=True)
            return stored, None, None, None
        return gradients.new_zeros(ctx.shape).index_add_(0, rows, gradients), None, None, None


class Embedding(nn.Module):
    """A vector for each token, as nn.Embedding.

    Args:
        vocab: distinct tokens.
        features: length of a vector.
        padding: the token whose vector is zero and stays so.
        sparse: whether the gradient stores only the rows that were read.

    Raises:
        ValueError: the padding, or a token that is looked up, is not in the vocabulary.
    """

    def __init__(self, vocab: int, features: int, padding: int | None = None, sparse: bool = False) -> None:
        super().__init__()
        if padding is not None and not 0 <= padding < vocab:
            raise ValueError(f"the padding must be a token from 0 to {vocab - 1}, got {padding}: None means no padding")
        self.weight = nn.Parameter(torch.randn(vocab, features))
        self.padding, self.sparse = padding, sparse
        if padding is not None:
            self.weight.data[padding] = 0.0

    def forward(self, tokens: Tensor) -> Tensor:
        vocab = len(self.weight)
        if tokens.numel() and not 0 <= tokens.min() <= tokens.max() < vocab:
            # Indexing alone would take -1 for the last row and say nothing.
            raise ValueError(
                f"tokens must be from 0 to {vocab - 1}, got {int(tokens.min())} to {int(tokens.max())}: "
                "does the vocabulary belong to this model?"
            )
        return Lookup.apply(self.weight, tokens, self.padding, self.sparse)


def largest(difference: Tensor) -> float:
    return difference.abs().max().item()


def compare_with_one_hot(weight: Tensor, tokens: Tensor, target: Tensor) -> tuple[float, float]:
    """Return by how much a lookup and a product with one-hot rows differ, in values and in gradients."""
    weight.requires_grad_()
    by_lookup = functional.embedding(tokens, weight)
    by_product = functional.one_hot(tokens, len(weight)).to(weight.dtype) @ weight  # (batch, tokens, features)
    from_lookup, from_product = (
        torch.autograd.grad(functional.mse_loss(output, target), weight)[0] for output in (by_lookup, by_product)
    )
    return largest(by_lookup - by_product), largest(from_lookup - from_product)


def compare_with_library(config: Config, tokens: Tensor, target: Tensor, sparse: bool) -> float:
    """Return the largest difference between ours and nn.Embedding in output and gradient over ten steps of SGD."""
    ours = Embedding(config.vocab, config.features, padding=0, sparse=sparse).to(tokens.device)
    theirs = nn.Embedding(config.vocab, config.features, padding_idx=0, sparse=sparse).to(tokens.device)
    theirs.load_state_dict(ours.state_dict())
    differences = []
    for _ in range(10):
        outputs, gradients = [], []
        for layer in (ours, theirs):
            outputs.append(layer(tokens))
            loss = functional.mse_loss(outputs[-1], target, reduction="sum")
            gradients.append(torch.autograd.grad(loss, layer.weight)[0].to_dense())
            layer.weight.data -= 0.1 * gradients[-1]
        differences += [largest(outputs[0] - outputs[1]), largest(gradients[0] - gradients[1])]
    return max(differences)


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    shape = (config.batch, config.tokens)
    weight = torch.randn(config.vocab, config.features, generator=generator).to(device)
    tokens = torch.randint(config.vocab, shape, generator=generator).to(device)
    tokens[:, -2:] = 0  # padding, and so a row that is read many times
    target = torch.randn(*shape, config.features, generator=generator).to(device)
    values, gradients = compare_with_one_hot(weight, tokens, target)
    results = Results(
        one_hot_value_difference=values,
        one_hot_gradient_difference=gradients,
        library_difference_dense=compare_with_library(config, tokens, target, sparse=False),
        library_difference_sparse=compare_with_library(config, tokens, target, sparse=True),
        multiplications_of_the_product=config.batch * config.tokens * config.vocab * config.features,
    )
    print(f"lookup and one-hot product differ by {values:.1e} in values, {gradients:.1e} in gradients;")
    print(f"the product takes {results.multiplications_of_the_product:,} multiplications, the lookup none")
    print(f"ours and nn.Embedding differ by {results.library_difference_dense:.1e}", end="")
    print(f" ({results.library_difference_sparse:.1e} with sparse gradients)")
    return results


if __name__ == "__main__":
    run(main, Config)
