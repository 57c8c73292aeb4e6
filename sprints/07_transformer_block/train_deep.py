"""Does a stack of 32 blocks learn what two blocks can, with and without residual connections and norms?

    uv run sprints/07_transformer_block/train_deep.py

The task: at each place of a row of random tokens, predict the first one. One block can do it; chance is one in `vocab`,
and the optimum is all of them. Theory: notes/02_the_residual_stream.md
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from block_study.deep_stacks import PredictTheFirst, first_token_accuracy, first_token_loss, random_rows
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Even, NonNegativeInt, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.training.loop import NonFiniteTraining, train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

Kind = Literal["pre", "post", "no norm", "no addition", "neither"]
TITLES = {"pre": "pre-norm", "post": "post-norm", "no norm": "additions, no norm", "no addition": "norms, no addition"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: tuple[PositiveInt, ...] = (2, 32)  # blocks of a stack
    kinds: tuple[Kind, ...] = ("pre", "post", "no norm", "no addition")  # of pre, post, no norm, no addition, neither
    vocab: AtLeastTwo = 8  # distinct tokens
    tokens: AtLeastTwo = 8  # tokens of a row
    d_model: Even = 32  # features of a token
    heads: PositiveInt = 4  # attention heads
    steps: PositiveInt = 100  # optimizer steps
    warmup: NonNegativeInt = 10  # steps until the learning rate is reached
    batch_size: PositiveInt = 32  # rows of a batch
    learning_rate: PositiveFloat = 2e-3  # learning rate of AdamW, constant after the warm-up
    runs: PositiveInt = 3  # runs of each kind and depth, each with its own seed

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.warmup > self.steps:
            raise ValueError(f"the warm-up must end; got --warmup {self.warmup} of --steps {self.steps}: give less")


@dataclass(frozen=True)
class Results:
    """By depth and kind of stack, run by run.

    Args:
        losses: by step, in nats; shorter where the loss became infinite or not a number.
        accuracy: on new rows.
        blew_up: how many runs did not reach the end.
    """

    losses: dict[str, dict[str, list[list[float]]]]
    accuracy: dict[str, dict[str, list[float]]]
    blew_up: dict[str, dict[str, int]]
    chance: float


def train(config: Config, kind: str, depth: int, seed: int) -> tuple[list[float], float]:
    """Return the losses, and the accuracy on rows that were not trained on."""
    device, generator = pick_device(config.device), seed_everything(seed)
    sizes = {name: getattr(config, name) for name in ("vocab", "tokens", "d_model", "heads")}
    model = PredictTheFirst(kind, depth, **sizes).to(device)
    losses = []
    try:
        for _, loss in train_steps(
            model,
            random_rows(config.vocab, config.batch_size, config.tokens, generator),
            loss_function=first_token_loss,
            optimizers=make_optimizers(model, learning_rate=config.learning_rate),
            steps=config.steps,
            schedule=partial(warmup_linear, steps=config.steps, warmup=config.warmup, floor=1.0),
        ):
            losses.append(loss)
    except NonFiniteTraining:
        pass  # the losses end here, and the weights are those of the step before
    new = next(random_rows(config.vocab, 256, config.tokens, generator))
    return losses, first_token_accuracy(model, new)


def main(config: Config) -> Results:
    results = Results({}, {}, {}, 1 / config.vocab)
    for depth in config.depths:
        losses, accuracy, blew_up = {}, {}, {}
        for kind in tqdm(config.kinds, desc=f"{depth} blocks"):
            runs = [train(config, kind, depth, config.seed + index) for index in range(config.runs)]
            losses[kind], accuracy[kind] = map(list, zip(*runs, strict=True))
            blew_up[kind] = sum(len(by_step) < config.steps for by_step in losses[kind])
        results.losses[str(depth)], results.accuracy[str(depth)] = losses, accuracy
        results.blew_up[str(depth)] = blew_up
        for kind, values in accuracy.items():
            print(f"{depth:>3} blocks, {kind:<12} accuracy {' '.join(f'{value:.3f}' for value in values)}", end="")
            print(f"  (chance {results.chance:.3f}), {blew_up[kind]} of {config.runs} diverged")
    return results


def plot(results: Results) -> Figure:
    """Draw the loss of every run: a field for each kind of stack, a colour for each depth."""
    kinds = list(next(iter(results.losses.values())))
    figure, fields = new_figure(width=9.0, height=5.2, rows=2, columns=(len(kinds) + 1) // 2)
    fields = np.ravel(fields)
    for axes in fields[len(kinds) :]:
        axes.axis("off")
    for axes, kind in zip(fields, kinds, strict=False):
        for colour, (depth, by_kind) in enumerate(results.losses.items()):
            for index, losses in enumerate(by_kind[kind]):
                label = None if index else f"{depth} blocks"
                axes.semilogy(losses, color=f"C{colour}", linewidth=1.2, label=label)
        axes.axhline(math.log(1 / results.chance), color="gray", linestyle="--", zorder=0, label="chance")
        axes.set(xlabel="step", ylabel="loss, nats per token", title=TITLES.get(kind, kind))
    fields[0].legend(fontsize=9)
    return figure


if __name__ == "__main__":
    # Deep stacks without norms start at losses of 1e4: where they end, and whether in infinity, rounding decides.
    chaos = {"losses.32.no norm.*": Tolerance(compared=False), "blew_up.32.no norm": Tolerance(compared=False)}
    run(main, Config, plot=plot, tolerance={"losses.*": TRAINED, "accuracy.*": TRAINED} | chaos)
