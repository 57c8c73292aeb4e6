"""A training that may be killed at any moment, started by `torchrun` and by nothing else.

    torchrun --standalone --nproc-per-node 2 --max-restarts 10 -m parallel_study.elastic FOLDER

The first token of a row is its number. So every process can say which rows it used, and a checkpoint holds, beside
weights and averages, the rows that these were made of.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from parallel_study.checks import gathered
from parallel_study.equal import exact_loss
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch
from shared.training.checkpoints import load_checkpoint, restore
from shared.training.launched import joined
from shared.training.loop import train_steps
from shared.training.parallel import Parallel, RankBatches, loss_of_all, present, seed_step, spread
from shared.training.whole_states import save_whole, whole

BATCH, TOKENS, EVERY = 8, 9, 4  # rows of a batch, tokens of a row, steps between checkpoints
CHECKPOINT, LOG = "checkpoint.pt", "steps.log"


class NumberedRows(Iterator[Batch]):
    """All rows of a data set, epoch after epoch, each epoch in an order of its own; the state is a position.

    Args:
        rows: how many there are; a multiple of the batch.
        seed: of the orders.
    """

    def __init__(self, rows: int, seed: int) -> None:
        self.rows, self.seed, self.position = rows, seed, 0
        generator = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(rows, (rows, TOKENS), generator=generator)
        self.tokens[:, 0] = torch.arange(rows)
        self.lengths = torch.randint(2, TOKENS + 1, (rows, 1), generator=generator)

    def __next__(self) -> Batch:
        epoch, place = divmod(self.position, self.rows)
        order = torch.randperm(self.rows, generator=torch.Generator().manual_seed(self.seed + epoch))
        chosen = order[place : place + BATCH]
        self.position += BATCH
        return Batch(self.tokens[chosen], torch.arange(TOKENS) < self.lengths[chosen])

    def state_dict(self) -> dict[str, int]:
        """Return how many rows have been read."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on reading where `state_dict` was taken."""
        self.position = state["position"]


def go_on(
    path: Path, model: nn.Module, optimizers: list[Optimizer], batches: RankBatches
) -> tuple[int, dict[str, list[Any]]]:
    """Return the steps that are done, their rows and losses; if there is a checkpoint, put everything back."""
    if not path.exists():
        return 0, {"used": [], "losses": []}
    checkpoint = load_checkpoint(path)
    batches.load_state_dict(checkpoint["data"])
    return restore(checkpoint, *whole(model, optimizers)), checkpoint["extra"]


def train(
    folder: Path, parallel: Parallel, rows: int, steps: int, pause: float, seed: int = 0, exact: bool = False
) -> None:
    """Train to the last step, from the checkpoint in the folder if there is one; all processes of a group call it.

    Args:
        folder: for the checkpoint, and for a log in which every process notes every step.
        parallel: what the processes keep of the weights.
        rows: rows of the data set.
        steps: optimizer steps of all runs together.
        pause: seconds that a step takes at least.
        seed: of weights, rows and dropout.
        exact: in float64 and without dropout, so that every number of processes finds the same.
    """
    ranks, path = present(), folder / CHECKPOINT
    dropout = 0.0 if exact else 0.1
    config = GPTConfig(vocab_size=rows, context=TOKENS, layers=1, heads=2, d_model=16, dropout=dropout)
    gpt = GPT(config, torch.Generator().manual_seed(seed)).to(torch.double if exact else torch.float)
    model = spread(gpt, parallel, torch.device("cpu"))
    optimizers: list[Optimizer] = [AdamW(model.parameters(), lr=3e-3)]
    batches = RankBatches(NumberedRows(rows, seed), ranks)
    start, seen = go_on(path, model, optimizers, batches)
    used, losses = seen["used"], seen["losses"]
    own: list[int] = []  # rows that this process has used since the last checkpoint

    def noting_loss(model: Any, batch: Any) -> tuple[torch.Tensor, int]:
        own.extend(batch[0][:, 0].tolist())
        return exact_loss(model, batch)

    log = os.open(folder / LOG, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    seed_step(seed, start, ranks)
    loss_function = loss_of_all(noting_loss, ranks)
    trained = train_steps(model, batches, loss_function=loss_function, optimizers=optimizers, steps=steps, start=start)
    for step, loss in trained:
        seed_step(seed, step, ranks)
        time.sleep(pause)
        losses.append(loss)
        if step % EVERY == 0 or step == steps:
            used = [*used, *(row for rows_of_one in gathered(own) for row in rows_of_one)]
            own.clear()
            state = {"step": step, "config": {}, "data": batches.state_dict()}
            save_whole(path, model=model, optimizers=optimizers, **state, extra={"used": used, "losses": losses})
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        os.write(log, f"{attempt} {ranks.rank} {step}\n".encode())
    os.close(log)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with joined():
        folder, parallel, rows, steps, pause, seed = sys.argv[1:]
        train(Path(folder), cast("Parallel", parallel), int(rows), int(steps), float(pause), int(seed))
