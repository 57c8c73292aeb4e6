"""Training of networks on molecules: the epoch that is best on validation is kept, then the last layer is solved."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from graph_study.molecular_graphs import Molecule, MoleculeBatch, batch_molecules, targets_of
from graph_study.molecule_networks import MoleculeNetwork, TargetScale, in_batches, solve_last_layer
from graph_study.molecule_sets import MoleculeSplits
from shared.lab.runtime import seed_everything
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine
from shared.training.shuffling import shuffled_rows


@dataclass(frozen=True)
class MoleculeTraining:
    """How a network is built and trained."""

    width: int
    depth: int
    readout: str
    epochs: int
    batch_size: int
    learning_rate: float
    device: torch.device


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network, its predictions for the test, and mean absolute errors there (`validation`: on validation).

    `by_descent` is the error before the last layer was solved, `untrained` that of a network of which only the last
    layer was learnt.
    """

    model: MoleculeNetwork
    predictions: np.ndarray  # (num_molecules)
    validation: float
    error: float
    by_descent: float
    untrained: float


def loss_function(model: MoleculeNetwork, batch: MoleculeBatch, scale: TargetScale) -> tuple[Tensor, int]:
    """Return the sum of absolute errors in standard deviations: the score is an absolute error too."""
    truth = (batch.targets - scale.mean) / scale.deviation
    return (model(batch) - truth).abs().sum(), len(truth)


@torch.no_grad()
def predict(model: MoleculeNetwork, molecules: Sequence[Molecule], scale: TargetScale) -> np.ndarray:
    """Return predictions in units of the target."""
    model.eval()
    device = next(model.parameters()).device
    standardised = torch.cat([model(batch).cpu() for batch in in_batches(molecules, device)])
    return standardised.numpy() * scale.deviation + scale.mean


def mean_absolute_error(model: MoleculeNetwork, molecules: Sequence[Molecule], scale: TargetScale) -> float:
    """Return the mean absolute error in units of the target."""
    return float(np.abs(predict(model, molecules, scale) - targets_of(molecules)).mean())


def shuffled_batches(
    molecules: Sequence[Molecule], batch_size: int, generator: torch.Generator, device: torch.device
) -> Iterator[MoleculeBatch]:
    """Yield batches without end, in another order for each pass."""
    for rows in shuffled_rows(len(molecules), batch_size, generator):
        yield batch_molecules([molecules[row] for row in rows.tolist()]).to(device)


def train(
    how: MoleculeTraining,
    model: MoleculeNetwork,
    splits: MoleculeSplits,
    scale: TargetScale,
    generator: torch.Generator,
    name: str,
) -> None:
    """Train a network, and leave it as it was after the epoch with the least error on the validation molecules."""
    in_epoch = math.ceil(len(splits.training) / how.batch_size)
    steps = how.epochs * in_epoch
    trained = train_steps(
        model,
        shuffled_batches(splits.training, how.batch_size, generator, how.device),
        loss_function=partial(loss_function, scale=scale),
        optimizers=make_optimizers(model, learning_rate=how.learning_rate, weight_decay=1e-4, betas=(0.9, 0.99)),
        steps=steps,
        schedule=partial(warmup_cosine, steps=steps, warmup=in_epoch, floor=0.01),
        clip=None,
    )
    best = KeepBest(model)
    for step, _ in (bar := tqdm(trained, total=steps, desc=name)):
        if step % in_epoch == 0:
            error = mean_absolute_error(model, splits.validation, scale)
            bar.set_postfix(validation=f"{error:.4f}")
            best.update(error, step)
    best.restore()


def train_and_solve(
    how: MoleculeTraining, kind: str, seed: int, splits: MoleculeSplits, scale: TargetScale
) -> TrainedNetwork:
    """Return a network that was trained and then had its last layer solved, and what each of the two is worth."""
    generator, first = seed_everything(seed), splits.training[0]
    sizes = {"width": how.width, "depth": how.depth, "readout": how.readout}
    model = MoleculeNetwork(kind, first.atoms.shape[1], first.bonds.shape[1], **sizes).to(how.device)
    untrained = copy.deepcopy(model)
    solve_last_layer(untrained, scale, splits.training, splits.validation)
    train(how, model, splits, scale, generator, f"{kind}, seed {seed}")
    by_descent = mean_absolute_error(model, splits.test, scale)
    validation = solve_last_layer(model, scale, splits.training, splits.validation)
    return TrainedNetwork(
        model=model,
        predictions=predict(model, splits.test, scale),
        validation=validation,
        error=mean_absolute_error(model, splits.test, scale),
        by_descent=by_descent,
        untrained=mean_absolute_error(untrained, splits.test, scale),
    )
