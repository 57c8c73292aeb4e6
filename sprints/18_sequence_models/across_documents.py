"""May a state be carried from one document into the next? A GRU predicts tosses of coins, a new coin each document.

    uv run sprints/18_sequence_models/across_documents.py
    uv run sprints/18_sequence_models/across_documents.py --tosses 32 --steps 600

The state of a row either begins at zero in each document, or is that of the row's last document, which has nothing to
do with it. The best possible loss at each toss is known. Theory: notes/04_padding_and_documents.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from sequences.coins import Tosses, draw, optimum
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.sequence_model import State


@dataclass(frozen=True)
class Config(ScriptConfig):
    tosses: PositiveInt = 16  # of a document
    hidden: PositiveInt = 24  # numbers of the state
    batch: PositiveInt = 128  # documents of a step
    steps: PositiveInt = 400  # optimizer steps
    learning_rate: PositiveFloat = 5e-3  # of Adam
    test_documents: PositiveInt = 4000  # documents in a row, for each arm
    seeds: PositiveInt = 5  # runs of each arm


@dataclass(frozen=True)
class Results:
    losses: dict[str, list[float]]
    intervals: dict[str, MeanInterval]
    by_toss: dict[str, list[float]]
    halves: dict[str, list[float | None]]
    optimum: float
    optimum_by_toss: list[float]


def train(config: Config, carried: bool, marked: bool, seed: int) -> Tosses:
    """Return a trained model; a carried state is handed on as it is, without its gradient."""
    generator = seed_everything(seed)
    model = Tosses(config.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    state: State | None = None
    for _ in range(config.steps):
        losses, after = model.losses(draw(config.batch, config.tosses, generator, marked), state)
        state = tuple(part.detach() for part in after) if carried else None
        optimizer.zero_grad()
        losses.mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model


@torch.no_grad()
def measure(model: Tosses, config: Config, carried: bool, marked: bool, seed: int) -> list[float]:
    """Return the mean loss at each toss of new documents, some of them in front to fill the state."""
    generator = torch.Generator().manual_seed(10_000 + seed)
    state: State | None = None
    for _ in range(3):
        losses, after = model.losses(draw(config.test_documents, config.tosses, generator, marked), state)
        state = after if carried else None
    return losses.double().mean(dim=0).tolist()


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # matrices this small are slower on two
    best = optimum(config.tosses)
    # How each is trained and read: is the state carried, is the beginning of a document marked?
    arms = {
        "begins at zero": (False, False, False),
        "carried": (True, False, True),
        "carried, beginning marked": (True, True, True),
        "trained from zero, then carried": (False, False, True),
    }
    curves: dict[str, list[list[float]]] = {name: [] for name in arms}
    for index in tqdm(range(config.seeds), desc="seeds"):
        seed = config.seed + index
        models = {key: train(config, *key, seed) for key in sorted({arm[:2] for arm in arms.values()})}
        for name, (carried, marked, then) in arms.items():
            curves[name].append(measure(models[carried, marked], config, then, marked, seed))
    losses = {name: [sum(curve) / len(curve) for curve in rows] for name, rows in curves.items()}
    intervals = {name: mean_interval(values) for name, values in losses.items()}
    points = {
        name: [mean_interval([curve[toss] for curve in rows]) for toss in range(config.tosses)]
        for name, rows in curves.items()
    }
    print(f"optimum {sum(best) / len(best):.4f}")
    for name, (mean, _) in intervals.items():
        print(f"{name:<34}{mean:.4f}, first toss {points[name][0][0]:.3f}")
    return Results(
        losses,
        intervals,
        {name: [mean for mean, _ in row] for name, row in points.items()},
        {name: [half for _, half in row] for name, row in points.items()},
        sum(best) / len(best),
        best,
    )


def plot(results: Results) -> Figure:
    """Draw the loss above the optimum by toss, with intervals over seeds."""
    figure, axes = new_figure(8.0, 4.4)
    tosses = range(1, len(results.optimum_by_toss) + 1)
    for index, (name, curve) in enumerate(results.by_toss.items()):
        above = [loss - best for loss, best in zip(curve, results.optimum_by_toss, strict=True)]
        halves = [half or 0.0 for half in results.halves[name]]
        low, high = ([a + sign * h for a, h in zip(above, halves, strict=True)] for sign in (-1, 1))
        axes.plot(tosses, above, color=f"C{index}", linestyle=("-", "-", "--", ":")[index], label=name)
        axes.fill_between(tosses, low, high, color=f"C{index}", alpha=0.2, linewidth=0)
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set(xlabel="toss of a document", ylabel="loss above the optimum (nats)")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED, "optimum*": TRAINED})
