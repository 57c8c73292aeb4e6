"""How many pairs of a key and a value does each model recall, after the same training?

    uv run sprints/18_sequence_models/recall.py
    uv run sprints/18_sequence_models/recall.py --preset full
    uv run sprints/18_sequence_models/recall.py --arms llama delta --pairs 1 2

A row holds pairs, then the keys again in another order, and the model says each value (Arora et al. 2023). All models
see the same number of rows. The default has up to four pairs, three models and 600 steps, and shows which of them has
learnt most by then: too few steps for a transformer, and not how much it can recall. `--preset full` trains five models
on up to eight pairs for 3,000 steps, five times each, after the same search for each rate. Theory: notes/14_recall.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from sequences.memory_models import NAMES, Arm, make_model
from sequences.recall_rows import mixed_rows, recall_rows
from sequences.trials import ScoredRows, Trials, fit, predicted, search_and_repeat
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything

PRESETS = {
    "full": {
        "arms": ("llama", "lstm", "linear", "delta", "mamba2"), "pairs": (1, 2, 4, 6, 8), "keys": 16, "values": 8,
        "steps": 3000, "rates": (1e-3, 3e-3), "seeds": 5,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[Arm, ...], Different] = ("llama", "lstm", "delta")  # models
    pairs: Annotated[tuple[PositiveInt, ...], Different] = (1, 2, 4)  # pairs of the measured rows
    keys: PositiveInt = 4  # distinct keys
    values: AtLeastTwo = 4  # distinct values
    d_model: PositiveInt = 64  # features of a token
    heads: PositiveInt = 4  # heads of a layer
    steps: PositiveInt = 600  # optimizer steps
    batch_size: PositiveInt = 32  # rows of a batch, of four numbers of pairs
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates that are tried
    rows: PositiveInt = 256  # new rows of each number of pairs that are measured
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if max(self.pairs) > self.keys:
            raise ValueError(
                f"the keys of a row differ; got --pairs {max(self.pairs)} of --keys {self.keys}: give more keys"
            )


@dataclass(frozen=True)
class Memory:
    """A model: parameters, numbers kept of the longest row, and its runs (loss, then the accuracy by pairs)."""

    parameters: int
    kept_numbers: int
    trials: Trials
    accuracy: list[MeanInterval]


@dataclass(frozen=True)
class Results:
    pairs: list[int]
    chance: float
    models: dict[str, Memory]


def run_once(config: Config, arm: Arm, rate: float, seed: int) -> list[float]:
    """Train one model; return its mean loss, then its accuracy by the number of pairs."""
    generator = seed_everything(seed)
    most = max(config.pairs)
    model = make_model(arm, config.keys + config.values, config.d_model, 4 * most, heads=config.heads)

    def draw(generator: torch.Generator) -> ScoredRows:
        return mixed_rows(config.keys, config.values, most, config.batch_size, generator)

    for _ in tqdm(fit(model, draw, config.steps, rate, generator), total=config.steps, desc=f"{arm}, seed {seed}"):
        pass
    losses, accuracies = [], []
    for pairs in config.pairs:
        rows = recall_rows(config.keys, config.values, pairs, config.rows, generator)
        right, loss = predicted(model, rows)
        losses.append(loss[rows[1]].mean().item())
        accuracies.append(right[rows[1]].double().mean().item())
    return [sum(losses) / len(losses), *accuracies]


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # of two processes at once each is faster with one
    seeds = [config.seed + index for index in range(config.seeds)]
    models = {}
    for arm in config.arms:
        trials = search_and_repeat(partial(run_once, config, arm), config.rates, seeds, config.seed + 1000)
        accuracy = [mean_interval(values) for values in zip(*trials.values, strict=True)][1:]
        model = make_model(arm, config.keys + config.values, config.d_model, 4 * max(config.pairs), heads=config.heads)
        kept = model.state_numbers(2 * max(config.pairs))
        models[NAMES[arm]] = Memory(model.parameter_count(), kept, trials, accuracy)
        shown = ", ".join(f"{pairs}: {mean:.3f}" for pairs, (mean, _) in zip(config.pairs, accuracy, strict=True))
        print(f"{NAMES[arm]}: accuracy by pairs {shown}")
    return Results(list(config.pairs), 1 / config.values, models)


def plot(results: Results) -> Figure:
    """Draw the accuracy by the number of pairs."""
    figure, axes = new_figure(7.6, 4.4)
    for index, (name, model) in enumerate(results.models.items()):
        means, halves = zip(*model.accuracy, strict=True)
        places = [pairs + 0.1 * (index - len(results.models) / 2) for pairs in results.pairs]
        axes.errorbar(places, means, error_bars(halves), marker="os^Dv"[index % 5], capsize=2, label=name)
    axes.axhline(results.chance, color="grey", linestyle=":", label="chance")
    axes.set(xlabel="pairs of the row", ylabel="accuracy of a value", ylim=(-0.03, 1.03), xticks=results.pairs)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"models.*": TRAINED})
