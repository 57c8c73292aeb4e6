"""To which single move does a sequence of moves come? Accuracy by length, for models of one layer to four.

    uv run sprints/18_sequence_models/state_tracking.py
    uv run sprints/18_sequence_models/state_tracking.py --preset full
    uv run sprints/18_sequence_models/state_tracking.py --preset a5
    uv run sprints/18_sequence_models/state_tracking.py --group Z60 --arms rnn lstm

Each token is a move, an element of a group, and at each token the product of all moves so far is to be named. All
models have the same width, rows and steps. By default each is trained once with one layer and once with three, all with
one rate; the presets have one to four layers, five runs, and the same search for each rate. Theory:
notes/12_state_tracking.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from sequences.arms import NAMES, Arm, Classifier
from sequences.groups import GroupName, draw_moves, make_group
from sequences.rate_search import Searched, best_rate
from sequences.tasks import Moves, accuracy_by_length, draw_rows, product_loss
from sequences.track import Plan, fit
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, Even, Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

LARGE = {"batch_size": 128}  # rows of a batch, for groups of sixty elements
FULL = {"depths": (1, 2, 3, 4), "rates": (3e-3, 5e-3), "seeds": 5}
PRESETS = {
    "full": FULL,
    "s3_mamba": {"arms": ("mamba",), **FULL},
    "z60": {"group": "Z60", "arms": ("rnn", "transformer"), **LARGE, **FULL},
    "z60_mamba": {"group": "Z60", "arms": ("mamba",), **LARGE, **FULL},
    "a5": {"group": "A5", "arms": ("rnn", "transformer"), **LARGE, **FULL},
    "a5_mamba": {"group": "A5", "arms": ("mamba",), **LARGE, **FULL},
    "a5_signed": {"group": "A5", "arms": ("signed",), **LARGE, **FULL},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    group: GroupName = "S3"  # the group whose products are named
    moves: PositiveInt = 3  # elements that serve as tokens; they make the whole group
    arms: Annotated[tuple[Arm, ...], Different] = ("rnn", "transformer", "signed")  # models
    depths: Annotated[tuple[PositiveInt, ...], Different] = (1, 3)  # layers; of an RNN or LSTM the first only
    d_model: Even = 64  # features of a token, a multiple of 8
    length: AtLeastTwo = 16  # tokens of a row
    steps: PositiveInt = 1000  # optimizer steps
    batch_size: PositiveInt = 64  # rows of a batch
    growing: Fraction = 0.3  # part of the steps in which rows get longer
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (5e-3,)  # tried at the middle depth
    rows: PositiveInt = 1000  # new rows that are read
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        if self.d_model % 8:
            raise ValueError(f"d_model must be a multiple of 8, an even number for each of 4 heads; got {self.d_model}")
        tokens_of(self)  # refuses moves that do not make the group


@dataclass(frozen=True)
class Depth:
    """A model of one depth: parameters, accuracy by length, and at the longest one of each seed."""

    parameters: int
    by_length: list[MeanInterval]
    longest: list[float]


@dataclass(frozen=True)
class Results:
    group: str
    chance: float
    searched: dict[str, Searched]
    models: dict[str, dict[int, Depth]]


def tokens_of(config: Config) -> Moves:
    """Return the group, and those of its elements that serve as tokens: the same ones for every model."""
    group = make_group(config.group)
    return Moves(group.table, draw_moves(group, config.moves, torch.Generator().manual_seed(config.seed)))


def run_once(config: Config, arm: Arm, layers: int, rate: float, seed: int) -> tuple[float, list[float], int]:
    """Train one model; return its loss on new rows, its accuracy by length, and its number of parameters."""
    generator = seed_everything(seed)
    moves = tokens_of(config)
    model = Classifier(arm, len(moves.table), config.d_model, layers)
    plan = Plan(config.steps, config.batch_size, config.length, config.growing)
    title = f"{arm}, {layers} layers, rate {rate:g}, seed {seed}"
    for _ in tqdm(fit(model, moves, plan, rate, generator), total=config.steps, desc=title):
        pass
    rows = draw_rows(moves, config.rows, config.length, generator)
    with torch.no_grad():
        loss, count = product_loss(model.eval(), rows)
    return loss.item() / count, accuracy_by_length(model, rows).tolist(), model.parameter_count()


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # a second thread gains a tenth; a second process gains all of it
    seeds = [config.seed + index for index in range(config.seeds)]
    models: dict[str, dict[int, Depth]] = {}
    searched: dict[str, Searched] = {}
    for arm in config.arms:
        depths = config.depths[:1] if arm in ("rnn", "lstm") else config.depths

        def loss_of(rate: float, seed: int, arm: Arm = arm, middle: int = depths[len(depths) // 2]) -> float:
            return run_once(config, arm, middle, rate, seed)[0]

        found = searched[NAMES[arm]] = best_rate(loss_of, config.rates, seeds, config.seed + 1000)
        for layers in depths:
            runs = [run_once(config, arm, layers, found.rate, seed) for seed in seeds]
            curves = [accuracy for _, accuracy, _ in runs]
            by_length = [mean_interval(values) for values in zip(*curves, strict=True)]
            models.setdefault(NAMES[arm], {})[layers] = Depth(runs[0][2], by_length, [curve[-1] for curve in curves])
            shown = show_interval(*by_length[-1], ".1%")
            print(f"{config.group}, {NAMES[arm]}, {layers} layers: {shown} of products of {config.length} tokens")
    return Results(config.group, 1 / len(make_group(config.group).elements), searched, models)


def plot(results: Results) -> Figure:
    """Draw for each model the accuracy by length, a line for each depth."""
    count = len(results.models)
    figure, panels = new_figure(3.0 * count + 0.6, 3.4, columns=count)
    for index, (name, depths) in enumerate(results.models.items()):
        panel = panels[index] if count > 1 else panels
        for place, (layers, depth) in enumerate(depths.items()):
            means, halves = zip(*depth.by_length, strict=True)
            lengths = [length + 0.12 * place for length in range(1, len(means) + 1)]
            label = f"{layers} layer" + "s" * (int(layers) > 1)
            panel.errorbar(
                lengths, means, error_bars(halves), marker="os^D"[place % 4], markersize=3.5, capsize=1.5, label=label
            )
        panel.axhline(results.chance, color="grey", linestyle=":")
        panel.set(title=f"{results.group}, {name}", xlabel="tokens", ylim=(-0.03, 1.04))
        panel.legend(fontsize=8, loc="lower left" if name == "RNN" else "best")
        if index == 0:
            panel.set(ylabel="accuracy of the product")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"models.*": TRAINED})
