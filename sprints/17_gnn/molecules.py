"""Does a network that sees a molecule as a graph beat fingerprints made for molecules? A property from the structure.

    uv run --group molecules sprints/17_gnn/molecules.py
    uv run --group molecules sprints/17_gnn/molecules.py --data zinc --epochs 8 --seeds 0 1 2

The target is computed from the molecule by RDKit, Crippen's logP by default: a sum of contributions of atoms, each by
its neighbourhood, so the best possible error is 0. Beside the network stand fingerprints, and a network of which only
the last layer was learnt. Theory: notes/06_molecules.md
"""

import copy
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from graph_study.molecular_graphs import Molecule, MoleculeBatch, batch_molecules, targets_of
from graph_study.molecule_models import (
    KINDS,
    Network,
    Scale,
    agreement_of_atoms,
    in_batches,
    linear_errors,
    solve_last_layer,
)
from graph_study.molecule_sets import Splits, load_splits
from shared.checks.intervals import mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run as run_script
from shared.lab.runtime import pick_device, seed_everything
from shared.training.batches import shuffled_rows
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine

# What Dwivedi et al. 2020 report for ZINC-12k, by model and number of parameters.
PUBLISHED = {"GCN, 100k": 0.459, "GIN, 100k": 0.387, "GAT, 100k": 0.475, "GCN, 500k": 0.367, "GatedGCN, 500k": 0.282}

PRESETS = {
    "layers": {"layer": ("gine", "gin", "gcn", "gat", "sage"), "seeds": (0, 1, 2)},
    "zinc": {"data": "zinc", "epochs": 8, "seeds": (0, 1, 2)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: str = "generated"  # generated, zinc, zinc12k, or a file or folder of SMILES
    target: Literal["logp", "tpsa", "qed", "rings"] = "logp"  # what is predicted
    molecules: int | None = None  # molecules to make (default: 4000), or of each file to read (default: all)
    layer: tuple[str, ...] = ("gine",)  # of gine, gin, gcn, gat, sage; several are compared
    depth: int = 3  # layers
    width: int = 48  # features of an atom inside
    readout: Literal["sum", "mean"] = "sum"  # how a molecule is made of its atoms
    epochs: int = 12  # passes over the training molecules
    batch_size: int = 32  # molecules of a batch
    learning_rate: float = 3e-3  # peak learning rate
    seeds: tuple[int, ...] = (0,)  # a training for each; --seed is added


@dataclass(frozen=True)
class Row:
    """A baseline's mean absolute errors on test and validation, in units of the target."""

    error: float
    validation: float


@dataclass(frozen=True)
class NetworkRow:
    """A network's mean absolute errors, in units of the target and means over seeds.

    `errors` has those of the seeds on the test, and `interval` is half the 95 % interval of their mean. `by_descent` is
    the error before the last layer was solved, `untrained` that of a network of which only the last layer was learnt.
    """

    error: float
    interval: float
    validation: float
    errors: tuple[float, ...]
    by_descent: float
    untrained: float
    parameters: int


@dataclass(frozen=True)
class Results:
    counts: dict[str, int]
    spread: float
    baselines: dict[str, Row]
    networks: dict[str, NetworkRow]
    published: dict[str, float]
    best_baseline: str
    best_network: str
    ratio: float
    atoms: float | None
    points: list[tuple[float, float]]
    worst: list[dict[str, float | str]]


class Run(NamedTuple):
    """A trained network, its predictions for the test, and mean absolute errors there (`validation`: on validation).

    `by_descent` and `untrained` are those of a `NetworkRow`.
    """

    model: Network
    made: np.ndarray
    validation: float
    error: float
    by_descent: float
    untrained: float


def loss_function(model: Network, batch: MoleculeBatch, scale: Scale) -> tuple[Tensor, int]:
    """Return the sum of absolute errors in standard deviations: the score is an absolute error too."""
    truth = (batch.targets - scale.mean) / scale.deviation
    return (model(batch) - truth).abs().sum(), len(truth)


@torch.no_grad()
def predict(model: Network, molecules: Sequence[Molecule], scale: Scale, device: torch.device) -> np.ndarray:
    """Return predictions in units of the target."""
    model.eval()
    made = torch.cat([model(batch).cpu() for batch in in_batches(molecules, device)])
    return made.numpy() * scale.deviation + scale.mean


def batches(
    molecules: Sequence[Molecule], size: int, generator: torch.Generator, device: torch.device
) -> Iterator[MoleculeBatch]:
    """Yield batches without end, in another order for each pass."""
    for rows in shuffled_rows(len(molecules), size, generator):
        yield batch_molecules([molecules[row] for row in rows.tolist()]).to(device)


def train(config: Config, model: Network, splits: Splits, scale: Scale, generator: torch.Generator, name: str) -> None:
    """Train a network, and leave it as it was after the epoch with the least error on the validation molecules."""
    device = next(model.parameters()).device
    in_epoch = math.ceil(len(splits.training) / config.batch_size)
    steps = config.epochs * in_epoch
    trained = train_steps(
        model,
        batches(splits.training, config.batch_size, generator, device),
        loss_function=partial(loss_function, scale=scale),
        optimizers=make_optimizers(model, learning_rate=config.learning_rate, weight_decay=1e-4, betas=(0.9, 0.99)),
        steps=steps,
        schedule=partial(warmup_cosine, steps=steps, warmup=in_epoch, floor=0.01),
        clip=None,
    )
    truth, best = targets_of(splits.validation), KeepBest(model)
    for step, _ in (bar := tqdm(trained, total=steps, desc=name)):
        if step % in_epoch == 0:
            error = float(np.abs(predict(model, splits.validation, scale, device) - truth).mean())
            bar.set_postfix(validation=f"{error:.4f}")
            best.update(error, step)
    best.restore()


def run(config: Config, kind: str, seed: int, splits: Splits, scale: Scale) -> Run:
    """Return a network that was trained and then had its last layer solved, and what each of the two is worth."""
    device, generator = pick_device(config.device), seed_everything(seed)
    first, truth = splits.training[0], targets_of(splits.test)
    sizes = {"width": config.width, "depth": config.depth, "readout": config.readout}
    model = Network(kind, first.atoms.shape[1], first.bonds.shape[1], **sizes).to(device)

    def solve(model: Network) -> tuple[float, np.ndarray, float]:
        validation = solve_last_layer(model, scale, splits.training, splits.validation)
        made = predict(model, splits.test, scale, device)
        return validation, made, float(np.abs(made - truth).mean())

    untrained = solve(copy.deepcopy(model))[2]
    train(config, model, splits, scale, generator, f"{kind}, seed {seed}")
    by_descent = float(np.abs(predict(model, splits.test, scale, device) - truth).mean())
    validation, made, error = solve(model)
    return Run(model, made, validation, error, by_descent, untrained)


def main(config: Config) -> Results:
    if min(config.epochs, config.batch_size, len(config.seeds), len(config.layer)) < 1:
        raise ValueError("training needs at least one epoch, molecule of a batch, seed and layer: raise what is 0")
    if unknown := sorted(set(config.layer) - set(KINDS)):
        raise ValueError(f"--layer must be among {', '.join(KINDS)}; got {', '.join(unknown)}")
    splits = load_splits(config.data, config.target, config.molecules, config.seed)
    truth, known = targets_of(splits.test), targets_of(splits.training)
    scale = Scale(float(known.mean()), float(known.std()))
    if scale.deviation == 0:
        raise ValueError(f"the target must differ between molecules; {config.target} is {scale.mean:g} for all of them")
    linear = linear_errors(splits.training, splits.validation, splits.test)
    simple, networks, kept = {name: Row(test, validation) for name, (validation, test) in linear.items()}, {}, {}
    for kind in config.layer:
        runs = [run(config, kind, config.seed + seed, splits, scale) for seed in config.seeds]
        networks[kind] = NetworkRow(
            *mean_interval([one.error for one in runs]),
            validation=statistics.mean(one.validation for one in runs),
            parameters=sum(parameter.numel() for parameter in runs[0].model.parameters()),
            errors=tuple(one.error for one in runs),
            by_descent=statistics.mean(one.by_descent for one in runs),
            untrained=statistics.mean(one.untrained for one in runs),
        )
        kept[kind] = runs[0]
    for name, row in simple.items():
        print(f"{name:<26} {row.error:.4f} mean absolute error")
    for name, row in networks.items():
        print(f"network, {name:<17} {row.error:.4f} +- {row.interval:.4f}, ", end="")
        print(f"{row.by_descent:.4f} before its last layer was solved, {row.untrained:.4f} with nothing else learnt")
    best_baseline, best_network = (min(rows, key=lambda name: rows[name].validation) for rows in (simple, networks))
    model, made = kept[best_network][:2]
    own = config.data != "zinc12k"
    wrong = np.abs(made - truth).argsort()[::-1][:5]
    shown = range(0, len(truth), math.ceil(len(truth) / 1000))
    return Results(
        counts={
            "training": len(splits.training),
            "validation": len(splits.validation),
            "test": len(splits.test),
            "dropped": splits.dropped,
        },
        spread=scale.deviation,
        baselines=simple,
        networks=networks,
        published={} if own else PUBLISHED,
        best_baseline=best_baseline,
        best_network=best_network,
        ratio=networks[best_network].error / simple[best_baseline].error,
        atoms=agreement_of_atoms(model, splits.test[:500]) if own and config.target == "logp" else None,
        points=[(round(float(truth[row]), 3), round(float(made[row]), 3)) for row in shown],
        worst=[
            {"smiles": splits.test[row].smiles, "true": float(truth[row]), "predicted": float(made[row])}
            for row in wrong.tolist()
        ],
    )


def plot(results: Results) -> Figure:
    """Draw predictions of the best network against the truth, and the errors of all models."""
    figure, (left, right) = new_figure(9.6, 3.8, columns=2)
    true, predicted = zip(*results.points, strict=True)
    left.plot([min(true), max(true)], [min(true), max(true)], color="black", linewidth=0.8)
    left.scatter(true, predicted, s=5, alpha=0.5, linewidths=0)
    left.set(xlabel="computed", ylabel="predicted", title=f"test molecules, {results.best_network}, first seed")
    bars = [(name, row.error, COLOURS[1]) for name, row in results.baselines.items()]
    bars += [(f"published: {name}", error, COLOURS[4]) for name, error in results.published.items()]
    for name, row in results.networks.items():
        bars.append((f"{name}, untrained, last layer solved", row.untrained, COLOURS[5]))
        bars.append((f"{name}, by gradient descent", row.by_descent, COLOURS[2]))
        bars.append((f"{name}, the last layer solved after it", row.error, COLOURS[0]))
    names, values, colours = zip(*bars, strict=True)
    right.bar_label(right.barh(names, values, color=colours), fmt="%.3f", padding=3)
    right.set(xlabel="mean absolute error, test", xscale="log", xlim=(min(values) / 1.5, 2 * max(values)))
    right.invert_yaxis()
    right.grid(axis="y", visible=False)
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot, presets=PRESETS)
