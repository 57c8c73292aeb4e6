"""One training in several ways, step for step the same: in one process, by DDP, by FSDP2, by tensor parallel.

Rows have unequal lengths and gradients are accumulated over two batches. Everything is in the precision of the weights:
the project's own loss and PyTorch's Muon would round to float32 and to bfloat16 on the way.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor
from torch.nn import functional
from torch.optim import AdamW, Optimizer

from parallel_study.sharded_muon import ShardedMuon
from parallel_study.tensor_parallel import parallelize_blocks, whole_weights
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch
from shared.training.loop import train_steps
from shared.training.optimizers import split_for_muon
from shared.training.parallel import RankBatches, loss_of_all, present, spread

Way = Literal["one process", "rows reversed", "ddp", "fsdp", "tensor parallel"]
WAYS: tuple[Way, ...] = ("ddp", "fsdp", "tensor parallel")
ROWS, TOKENS, VOCABULARY, ACCUMULATE = 8, 17, 31, 2


class Trained(NamedTuple):
    """The loss of every step, and all weights in one row after every few steps, as one process has them."""

    losses: list[float]
    weights: list[Tensor]


class UnequalRows(Iterator[Batch]):
    """Random batches whose rows have 2 to all of their tokens; the stream can be saved.

    Args:
        generator: draws tokens and lengths.
        backwards: give each batch with its last row first: the same sums in another order.
    """

    def __init__(self, generator: torch.Generator, backwards: bool = False) -> None:
        self.generator, self.backwards = generator, backwards

    def __next__(self) -> Batch:
        tokens = torch.randint(VOCABULARY, (ROWS, TOKENS), generator=self.generator)
        lengths = torch.randint(2, TOKENS + 1, (ROWS, 1), generator=self.generator)
        mask = torch.arange(TOKENS) < lengths
        return Batch(tokens.flip(0), mask.flip(0)) if self.backwards else Batch(tokens, mask)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state of the generator."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on where `state_dict` was taken."""
        self.generator.set_state(state["generator"])


def exact_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """Return the summed loss of a batch and the number of its targets, in the precision of the weights."""
    tokens, mask = batch
    assert mask is not None
    logits, targets = model(tokens[:, :-1]), tokens[:, 1:]
    losses = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    wanted = mask[:, 1:]
    return losses.view_as(targets).where(wanted, 0.0).sum(), int(wanted.sum())


def new_optimizers(model: nn.Module, muon: bool) -> list[Optimizer]:
    """Return AdamW, or Muon for the matrices of the blocks and AdamW for the rest."""
    hidden, rest = split_for_muon(model) if muon else ([], list(model.parameters()))
    optimizers: list[Optimizer] = [AdamW(rest, lr=3e-3, betas=(0.9, 0.95), weight_decay=0.0)]
    return [*optimizers, ShardedMuon(hidden, lr=0.02, weight_decay=0.0)] if muon else optimizers


def train(way: Way, *, muon: bool, double: bool, steps: int, every: int, seed: int = 0) -> Trained:
    """Train a small GPT, and return the same in every process of the group.

    Args:
        way: what the processes share; the first two are done by each process for itself.
        muon: see `new_optimizers`.
        double: compute in float64 rather than in float32.
        steps: optimizer steps.
        every: steps from one look at the weights to the next.
        seed: of weights and rows.
    """
    ranks, generator = present(), torch.Generator().manual_seed(seed)
    config = GPTConfig(vocab_size=VOCABULARY, context=TOKENS, layers=2, heads=2, d_model=16, dropout=0.0)
    model = GPT(config, generator).to(torch.double if double else torch.float)
    batches: Any = UnequalRows(torch.Generator().manual_seed(seed + 1), backwards=way == "rows reversed")
    loss_function: Any = exact_loss
    wrapped: nn.Module = model
    if way in ("ddp", "fsdp"):
        wrapped = spread(model, "ddp" if way == "ddp" else "fsdp", torch.device("cpu"))
        batches, loss_function = RankBatches(batches, ranks), loss_of_all(exact_loss, ranks, ACCUMULATE)
    elif way == "tensor parallel":  # all processes read all rows
        parallelize_blocks(model, init_device_mesh("cpu", (ranks.size,)))
    optimizers = new_optimizers(wrapped, muon)
    trained = train_steps(
        wrapped, batches, loss_function=loss_function, optimizers=optimizers, steps=steps, accumulate=ACCUMULATE
    )
    losses, weights = [], []
    for step, loss in trained:
        losses.append(loss)
        if step % every == 0:
            weights.append(weights_of(model, way))
    return Trained(losses, weights)


@torch.no_grad()
def weights_of(model: GPT, way: Way) -> Tensor:
    """Return all weights of a model, whole and in one row, in every process."""
    weights = whole_weights(model, present()) if way == "tensor parallel" else dict(model.named_parameters())
    whole = [weight.full_tensor() if isinstance(weight, DTensor) else weight.detach() for weight in weights.values()]
    return torch.cat([weight.flatten() for weight in whole])


class Apart(NamedTuple):
    """How far two trainings are apart: the losses by step, and by look the weights, the largest and the norm of all."""

    losses: list[float]
    largest_weight: list[float]
    norm: list[float]


def apart(one: Trained, other: Trained) -> Apart:
    """Return how far two trainings are apart."""
    losses = [abs(ours - theirs) for ours, theirs in zip(one.losses, other.losses, strict=True)]
    differences = [ours - theirs for ours, theirs in zip(one.weights, other.weights, strict=True)]
    largest = [difference.abs().max().item() for difference in differences]
    return Apart(losses, largest, [difference.norm().item() for difference in differences])


def compare(ways: tuple[Way, ...], muon: bool, double: bool, steps: int, every: int, seed: int) -> dict[str, Apart]:
    """Return by its name how far each way is from one process; called in a group of processes."""

    def trained(way: Way) -> Trained:
        return train(way, muon=muon, double=double, steps=steps, every=every, seed=seed)

    one = trained("one process")
    return {way: apart(one, trained(way)) for way in ways}
