"""Is the number of ones even or odd? Trained on up to 40 bits, read on up to 256.

    uv run sprints/18_sequence_models/parity.py
    uv run sprints/18_sequence_models/parity.py --preset full
    uv run sprints/18_sequence_models/parity.py --arms signed positive

A recurrence whose decays lie in [0, 1] cannot say it for all lengths, with decays in [−1, 1] it can. All models have
the same width, rows and steps. By default each is trained once, all with one rate, which shows who goes on beyond 40
bits; how often a model learns it only `--preset full` says, five runs of each after the same search for its rate.
Theory: notes/11_parity.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from sequences.arms import NAMES, Arm, Classifier
from sequences.groups import make_group
from sequences.rate_search import Searched, best_rate
from sequences.tasks import Moves, accuracy_by_length, draw_rows, product_loss
from sequences.track import Plan, fit
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, Even, Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

FAR = 200  # lengths from here on are "far"
BITS = Moves(make_group("Z2").table, torch.arange(2))
PRESETS = {"full": {"rates": (1e-3, 3e-3, 1e-2), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[Arm, ...], Different] = (
        "signed",
        "positive",
        "rnn",
        "lstm",
        "mamba",
        "transformer",
    )  # models
    d_model: Even = 32  # features of a token, a multiple of 8
    layers: PositiveInt = 1  # blocks
    longest: AtLeastTwo = 40  # bits of the longest rows that are trained on
    searched: AtLeastTwo = 80  # bits of the rows by whose loss the rate is chosen
    tested: AtLeastTwo = 256  # bits of the rows that are read
    steps: PositiveInt = 1000  # optimizer steps
    batch_size: PositiveInt = 64  # rows of a batch
    growing: Fraction = 0.5  # part of the steps in which rows get longer
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-2,)  # learning rates that are tried
    rows: PositiveInt = 512  # new rows that are read
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        if self.d_model % 8:
            raise ValueError(f"d_model must be a multiple of 8, an even number for each of 4 heads; got {self.d_model}")
        if self.tested < self.longest:
            raise ValueError(
                f"rows that are read must be as long as those that were trained on; got --tested {self.tested} and "
                f"--longest {self.longest}: give a larger --tested"
            )


@dataclass(frozen=True)
class Runs:
    """A model: parameters, its rate, accuracy of each seed on trained and on far lengths, and by length."""

    parameters: int
    searched: Searched
    trained: list[float]
    far: list[float]
    trained_mean: MeanInterval
    far_mean: MeanInterval
    by_length: list[list[float]]


@dataclass(frozen=True)
class Results:
    longest: int
    lengths: list[int]
    models: dict[str, Runs]


def train(config: Config, arm: Arm, rate: float, seed: int) -> tuple[Classifier, torch.Generator]:
    """Return a model that was trained with a rate and a seed, and the generator of its rows."""
    generator = seed_everything(seed)
    model = Classifier(arm, 2, config.d_model, config.layers)
    plan = Plan(config.steps, config.batch_size, config.longest, config.growing)
    for _ in tqdm(fit(model, BITS, plan, rate, generator), total=config.steps, desc=f"{arm}, seed {seed}"):
        pass
    return model, generator


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # tiny shapes
    models: dict[str, Runs] = {}
    seeds = [config.seed + index for index in range(config.seeds)]
    lengths = sorted({*range(5, config.tested + 1, 5), 1, config.longest, config.tested})

    for arm in config.arms:

        def loss_of(rate: float, seed: int, arm: Arm = arm) -> float:
            model, generator = train(config, arm, rate, seed)
            with torch.no_grad():
                loss, count = product_loss(model.eval(), draw_rows(BITS, config.rows, config.searched, generator))
            return loss.item() / count

        searched = best_rate(loss_of, config.rates, seeds, config.seed + 1000)
        trained, far, curves, parameters = [], [], [], 0
        for seed in seeds:
            model, generator = train(config, arm, searched.rate, seed)
            accuracy = accuracy_by_length(model, draw_rows(BITS, config.rows, config.tested, generator))
            trained.append(accuracy[: config.longest].mean().item())
            far.append(accuracy[min(FAR, config.tested) - 1 :].mean().item())
            curves.append([accuracy[length - 1].item() for length in lengths])
            parameters = model.parameter_count()
        runs = Runs(parameters, searched, trained, far, mean_interval(trained), mean_interval(far), curves)
        models[NAMES[arm]] = runs
        print(f"{NAMES[arm]} (rate {searched.rate:g}): up to {config.longest} bits ", end="")
        print(f"{show_interval(*runs.trained_mean, '.1%')}, far {show_interval(*runs.far_mean, '.1%')}")
    return Results(config.longest, lengths, models)


def plot(results: Results) -> Figure:
    """Draw the accuracy by the number of bits: a thin line for each seed, a thick one for their mean."""
    count = len(results.models)
    figure, panels = new_figure(9.6, 2.6 * -(-count // 3), rows=-(-count // 3), columns=min(3, count))
    flat = [panels] if count == 1 else list(panels.flat)
    for panel in flat[count:]:
        panel.axis("off")
    for panel, (name, runs) in zip(flat, results.models.items(), strict=False):
        for curve in runs.by_length:
            panel.plot(results.lengths, curve, color="C0", alpha=0.35, linewidth=0.9)
        means = [sum(values) / len(values) for values in zip(*runs.by_length, strict=True)]
        panel.plot(results.lengths, means, color="C0", linewidth=2)
        panel.axvline(results.longest, color="grey", linestyle="--", linewidth=1)
        panel.axhline(0.5, color="grey", linestyle=":", linewidth=1)
        panel.text(results.longest + 5, 0.43, "longest in training", fontsize=8, color="#555555")
        panel.set(title=name, ylim=(0.4, 1.03), xlabel="bits", ylabel="accuracy")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"models.*": TRAINED})
