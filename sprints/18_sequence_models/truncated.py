"""What does a network learn whose gradient is cut off? Remember a symbol, with gradients through the last tokens only.

    uv run sprints/18_sequence_models/truncated.py
    uv run sprints/18_sequence_models/truncated.py --windows 2 10 22 --delays 20

The state is always carried along the whole row; only the way back is cut. Both delays, all windows: the same networks,
batches and steps. Theory: notes/02_gradients_through_time.md
"""

import itertools
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from sequences.delayed_recall import Recaller, accuracy_and_loss, train
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.recurrent import Kind

PRESETS = {"lstm": {"kind": "lstm"}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    kind: Kind = "gru"  # rnn, lstm or gru; the forget bias of an lstm begins at 1
    delays: Annotated[tuple[PositiveInt, ...], Different] = (8, 20)  # tokens of noise behind the symbol
    windows: Annotated[tuple[PositiveInt, ...], Different] = (2, 5, 10, 22)  # last tokens that gradients flow through
    symbols: AtLeastTwo = 4  # distinct symbols
    hidden: PositiveInt = 32  # numbers of the hidden state
    steps: PositiveInt = 300  # optimizer steps
    learning_rate: PositiveFloat = 1e-2  # of Adam
    seeds: PositiveInt = 5  # runs of each pair


@dataclass(frozen=True)
class Results:
    accuracies: dict[str, dict[str, list[float]]]
    means: dict[str, dict[str, MeanInterval]]
    chance: float
    untrained_state: dict[str, list[float]]


def train_one(config: Config, delay: int, window: int, seed: int) -> float:
    """Return the accuracy of one network after training."""
    generator = seed_everything(seed)
    model = Recaller(config.kind, config.symbols, config.hidden, 1.0 if config.kind == "lstm" else None)
    train(model, config.symbols, delay, config.steps, generator, window, config.learning_rate)
    return accuracy_and_loss(model, config.symbols, delay, generator)[0]


def train_readout(config: Config, delay: int, seed: int) -> float:
    """Return the accuracy if the network stays as it was drawn, and only the scores are trained."""
    generator = seed_everything(seed)
    model = Recaller(config.kind, config.symbols, config.hidden, 1.0 if config.kind == "lstm" else None)
    model.layer.requires_grad_(False)
    train(model, config.symbols, delay, config.steps, generator, 1, config.learning_rate)
    return accuracy_and_loss(model, config.symbols, delay, generator)[0]


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # matrices this small are slower on two
    found: dict[str, dict[str, list[float]]] = {str(delay): {} for delay in config.delays}
    seeds = [config.seed + index for index in range(config.seeds)]
    for delay, window in tqdm(list(itertools.product(config.delays, config.windows)), desc="delays and windows"):
        found[str(delay)][str(window)] = [train_one(config, delay, window, seed) for seed in seeds]
    untrained = {str(delay): [train_readout(config, delay, seed) for seed in seeds] for delay in config.delays}
    means = {delay: {window: mean_interval(values) for window, values in row.items()} for delay, row in found.items()}
    for delay, row in means.items():
        shown = ", ".join(f"{window}: {mean:.3f}" for window, (mean, _) in row.items())
        print(f"delay {delay}: {shown}; untrained state {sum(untrained[delay]) / len(seeds):.3f}")
    return Results(found, means, 1 / config.symbols, untrained)


def plot(results: Results) -> Figure:
    """Draw the accuracy by window, for each delay, each run a dot."""
    figure, axes = new_figure(7.6, 4.2)
    for index, (delay, row) in enumerate(results.means.items()):
        windows = [int(window) for window in row]
        places = [window * (1.04 if index else 0.96) for window in windows]  # on a logarithmic axis: side by side
        means, halves = zip(*row.values(), strict=True)
        axes.errorbar(places, means, yerr=error_bars(halves), color=f"C{index}", marker="o", capsize=3)
        for place, values in zip(places, results.accuracies[delay].values(), strict=True):
            axes.plot([place] * len(values), values, ".", color=f"C{index}", alpha=0.5)
        axes.text(
            places[len(places) // 2 - 1],
            means[len(means) // 2 - 1] + 0.06,
            f"symbol {int(delay) + 1} tokens back",
            color=f"C{index}",
        )
    axes.axhline(results.chance, color="grey", linestyle=":")
    axes.text(max(map(int, row)), results.chance - 0.06, "chance", color="grey", ha="right")
    axes.set(xlabel="last tokens that gradients flow through", ylabel="accuracy", xscale="log", ylim=(-0.05, 1.2))
    axes.set_xticks([int(window) for window in row], list(row))
    axes.minorticks_off()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
