"""Which rows of an embedding does a step move? The gradient is zero for words that were not read; the step may not be.

    uv run sprints/05_embeddings_and_positional_encoding/sparse_gradients.py

A batch reads a few rows of a large table. Five optimizers take two steps on different words; counted are the rows that
the second step moved although its batch did not read them. Theory: notes/10_rows_that_are_not_read.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, SparseAdam

from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    vocab: PositiveInt = 50_000  # rows of the table
    features: PositiveInt = 64  # features of a row
    tokens: PositiveInt = 512  # tokens of a batch


@dataclass(frozen=True)
class Results:
    rows_read: list[int]
    rows_read_by_the_first_batch_alone: int
    numbers_in_dense_gradient: int
    numbers_in_sparse_gradient: int
    sparse_and_dense_differ: float
    moved_without_being_read: dict[str, int]


OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], bool]] = {
    "SGD": (partial(SGD, lr=0.1), False),
    "SGD, momentum 0.9": (partial(SGD, lr=0.1, momentum=0.9), False),
    "Adam": (partial(Adam, lr=1e-3), False),
    "AdamW, weight decay 0.01": (partial(AdamW, lr=1e-3, weight_decay=0.01), False),
    "SparseAdam": (partial(SparseAdam, lr=1e-3), True),
}


def gradient(weight: Tensor, tokens: Tensor, sparse: bool) -> Tensor:
    """Return the gradient of a sum of squares by the table."""
    layer = nn.Embedding.from_pretrained(weight.clone(), freeze=False, sparse=sparse)
    layer(tokens).square().sum().backward()
    return layer.weight.grad


def moved_without_being_read(name: str, weight: Tensor, batches: list[Tensor]) -> int:
    """Return how many rows the last step moved although its batch did not read them."""
    make, sparse = OPTIMIZERS[name]
    layer = nn.Embedding.from_pretrained(weight.clone(), freeze=False, sparse=sparse)
    optimizer = make(layer.parameters())
    before = weight
    for tokens in batches:
        before = layer.weight.detach().clone()
        optimizer.zero_grad()
        layer(tokens).square().sum().backward()
        optimizer.step()
    moved = (layer.weight != before).any(dim=1)
    moved[batches[-1]] = False
    return int(moved.sum())


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    weight = torch.randn(config.vocab, config.features, generator=generator).to(device)
    batches = [torch.randint(config.vocab, (config.tokens,), generator=generator).to(device) for _ in range(2)]
    dense, sparse = (gradient(weight, batches[0], kind) for kind in (False, True))
    read = [set(tokens.tolist()) for tokens in batches]
    results = Results(
        rows_read=[len(rows) for rows in read],
        rows_read_by_the_first_batch_alone=len(read[0] - read[1]),
        numbers_in_dense_gradient=dense.numel(),
        numbers_in_sparse_gradient=sparse.coalesce().values().numel(),
        sparse_and_dense_differ=(sparse.to_dense() - dense).abs().max().item(),
        moved_without_being_read={name: moved_without_being_read(name, weight, batches) for name in OPTIMIZERS},
    )
    print(f"the batches read {results.rows_read} of {config.vocab:,} rows; numbers in the gradient of the first:")
    print(f"{results.numbers_in_dense_gradient:,} dense, {results.numbers_in_sparse_gradient:,} sparse")
    print("rows that the second step moved without reading them:")
    for name, rows in results.moved_without_being_read.items():
        print(f"  {name:<26}{rows:7,}")
    return results


if __name__ == "__main__":
    run(main, Config)
