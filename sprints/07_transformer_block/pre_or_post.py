"""Normalise before each part or after each addition? Both are trained, with and without warm-up, over depth and rate.

    uv run sprints/07_transformer_block/pre_or_post.py
    uv run sprints/07_transformer_block/pre_or_post.py --preset wide      # more depths and rates

The task: at each place of a row of random tokens, predict the first one; chance is one in `vocab`, the optimum is all
of them, so a run that is no better than chance has not learnt. Theory: notes/05_pre_or_post.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

from tqdm import tqdm

from block_study.deep_stacks import PredictTheFirst, first_token_accuracy, first_token_loss, random_rows
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, Even, NonNegativeFloat, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.training.loop import NonFiniteTraining, train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import constant, warmup_linear

PRESETS = {"wide": {"depths": (4, 8, 16, 24), "learning_rates": (1e-3, 3e-3, 1e-2), "steps": 300, "warmup": 100}}
PLACEMENTS = ("pre", "post")
LEARNT = 0.9


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: tuple[PositiveInt, ...] = (4, 16)  # blocks of a stack
    learning_rates: tuple[PositiveFloat, ...] = (1e-3, 3e-3)  # peak learning rates of AdamW
    vocab: AtLeastTwo = 8  # distinct tokens
    tokens: AtLeastTwo = 8  # tokens of a row
    d_model: Even = 32  # features of a token
    heads: PositiveInt = 4  # attention heads
    steps: PositiveInt = 120  # optimizer steps
    warmup: PositiveInt = 40  # steps in which the learning rate rises; then, and in the runs without, it is constant
    batch_size: PositiveInt = 32  # rows of a batch
    clip: NonNegativeFloat = 0.0  # largest norm of the gradient; 0: any, as clipping is a remedy of its own
    runs: PositiveInt = 3  # runs of each kind, each with its own seed

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.warmup > self.steps:
            raise ValueError(f"the warm-up must end; got --warmup {self.warmup} of --steps {self.steps}: give less")


@dataclass(frozen=True)
class Setting:
    """One way to train, and what came of each of its runs.

    Args:
        accuracy: on new rows.
        loss: mean of the last tenth of the steps in nats, None where the run diverged.
        learnt: runs whose accuracy is above 0.9.
        diverged: runs whose loss became infinite or not a number.
    """

    norm: str
    depth: int
    learning_rate: float
    warmup: int
    accuracy: list[float]
    loss: list[float | None]
    learnt: int
    diverged: int


@dataclass(frozen=True)
class Results:
    """All settings, the share of runs that learnt by norm and warm-up, and the accuracy of chance."""

    settings: list[Setting]
    learnt: dict[str, float]
    learnt_by_depth: dict[str, dict[str, float]]
    chance: float


def schedule_with(warmup: int, steps: int) -> Callable[[int], float]:
    return partial(warmup_linear, steps=steps, warmup=warmup, floor=1.0) if warmup else constant


def train(config: Config, kind: str, depth: int, rate: float, warmup: int, seed: int) -> tuple[float, float | None]:
    """Return the accuracy on new rows and the last loss, None if it diverged."""
    device, generator = pick_device(config.device), seed_everything(seed)
    sizes = {name: getattr(config, name) for name in ("vocab", "tokens", "d_model", "heads")}
    model = PredictTheFirst(kind, depth, **sizes).to(device)
    losses = []
    try:
        for _, loss in train_steps(
            model,
            random_rows(config.vocab, config.batch_size, config.tokens, generator),
            loss_function=first_token_loss,
            # The second moment as in Xiong et al., section 4: it is part of what warm-up is said to be for.
            optimizers=make_optimizers(model, learning_rate=rate, betas=(0.9, 0.98)),
            steps=config.steps,
            schedule=schedule_with(warmup, config.steps),
            clip=config.clip or None,
        ):
            losses.append(loss)
    except NonFiniteTraining:
        return 0.0, None
    tail = losses[-max(1, config.steps // 10) :]
    new = next(random_rows(config.vocab, 256, config.tokens, generator))
    return first_token_accuracy(model, new), sum(tail) / len(tail)


def main(config: Config) -> Results:
    results = Results([], {}, {}, 1 / config.vocab)
    grid = list(product(PLACEMENTS, (0, config.warmup), config.depths, config.learning_rates))
    for kind, warmup, depth, rate in tqdm(grid, desc="settings"):
        seeds = range(config.seed, config.seed + config.runs)
        runs = [train(config, kind, depth, rate, warmup, seed) for seed in seeds]
        accuracy, losses = map(list, zip(*runs, strict=True))
        learnt = sum(value > LEARNT for value in accuracy)
        results.settings.append(Setting(kind, depth, rate, warmup, accuracy, losses, learnt, losses.count(None)))
    for kind, warmup in product(PLACEMENTS, (0, config.warmup)):
        name = f"{kind}, {'warm-up' if warmup else 'no warm-up'}"
        own = [setting for setting in results.settings if (setting.norm, setting.warmup) == (kind, warmup)]
        results.learnt[name] = share_learnt(own)
        results.learnt_by_depth[name] = {
            str(depth): share_learnt([setting for setting in own if setting.depth == depth]) for depth in config.depths
        }
        for setting in own:
            print(f"{name:<17} {setting.depth:>2} blocks, rate {setting.learning_rate:g}: ", end="")
            print(f"{setting.learnt} learnt, {setting.diverged} diverged, ", end="")
            print(f"accuracy {' '.join(f'{value:.2f}' for value in setting.accuracy)}")
    return results


def share_learnt(settings: list[Setting]) -> float:
    return sum(setting.learnt for setting in settings) / sum(len(setting.accuracy) for setting in settings)


if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance={"*": TRAINED, "chance": EXACT})
