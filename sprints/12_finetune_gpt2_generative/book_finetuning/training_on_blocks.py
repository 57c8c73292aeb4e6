"""The steps of fine-tuning: blocks of a book in random order, the optimizers, the loop; and the loss on a part.

Theory: notes/01_books_and_splits.md and notes/02_fine_tuning.md
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch.optim import Optimizer

from shared.nn.gpt import GPT
from shared.text.batches import Batch, TextDataset, pad_rows
from shared.text.books import BookPart
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear
from shared.training.shuffling import shuffled_rows

Blocks = Sequence[Sequence[int]]
MOST_LOGITS = 2**27  # of a batch in evaluation: half a gigabyte


@dataclass(frozen=True)
class FineTuningSettings:
    """How to fine-tune; the rates were chosen on the validation chapter of the default book."""

    steps: int
    batch_size: int = 4
    learning_rate: float = 3e-3
    muon_learning_rate: float = 0.01  # 0: AdamW alone
    weight_decay: float = 0.1


def block_batches(
    source: Callable[[], Blocks], batch_size: int, generator: torch.Generator, rehearsal: Blocks = ()
) -> Iterator[Batch]:
    """Yield batches of all blocks in random order, epoch after epoch without end.

    Args:
        source: returns the blocks of the next epoch.
        batch_size: blocks of a batch.
        generator: draws the orders.
        rehearsal: documents of another kind; one is added to each batch, in turn.
    """
    others = itertools.cycle(rehearsal)
    while True:
        blocks = source()
        per_epoch = -(-len(blocks) // batch_size)
        for numbers in itertools.islice(shuffled_rows(len(blocks), batch_size, generator), per_epoch):
            rows = [blocks[number] for number in numbers.tolist()]
            yield pad_rows([*rows, next(others)] if rehearsal else rows)


def fine_tune(
    model: GPT,
    source: Callable[[], Blocks],
    settings: FineTuningSettings,
    generator: torch.Generator,
    rehearsal: Blocks = (),
    precision: str = "auto",
) -> Iterator[tuple[int, float]]:
    """Train, and yield the number of steps done and the loss after each step, as `train_steps` does.

    Muon trains the matrices of the blocks and AdamW the rest.
    """
    optimizers: list[Optimizer] = make_optimizers(
        model,
        learning_rate=settings.learning_rate,
        muon_learning_rate=settings.muon_learning_rate or None,
        weight_decay=settings.weight_decay,
    )
    return train_steps(
        model,
        block_batches(source, settings.batch_size, generator, rehearsal),
        loss_function=language_model_loss,
        optimizers=optimizers,
        steps=settings.steps,
        schedule=partial(warmup_linear, steps=settings.steps, warmup=min(20, settings.steps // 2)),
        precision=precision,
    )


def loss_on(part: BookPart, model: GPT, batch_size: int = 16) -> float:
    """Return a model's loss on the next token of a part, in nats per token, over disjoint blocks."""
    context, vocab_size = model.config.context, model.config.vocab_size
    blocks = TextDataset(part.documents, context - 1)
    # GPT-2 has fifty thousand logits for each token, 3.3 GB for sixteen rows.
    rows = min(batch_size, max(1, MOST_LOGITS // (context * vocab_size)))
    return evaluate_loss(model, blocks.batches(rows))[0]
