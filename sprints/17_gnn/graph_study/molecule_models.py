"""What predicts a number for a molecule: a network on its graph, and linear models on what chemists count.

Needs `molecular_graphs` only for what a molecule is; nothing here knows where molecules come from.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graph_study.molecular_graphs import (
    Molecule,
    MoleculeBatch,
    batch_molecules,
    logp_of_atoms,
    parse_smiles,
    targets_of,
)
from shared.graph.graphs import Graph, graph_ids, scatter_mean, scatter_sum
from shared.graph.layers import GATLayer, GCNLayer, GINELayer, GINLayer, SAGELayer

KINDS = ("gine", "gin", "gcn", "gat", "sage")
READOUTS = {"sum": scatter_sum, "mean": scatter_mean}
RADIUS, BITS = 2, 2048
STRENGTHS = tuple(10.0**power for power in range(-3, 5))


@dataclass(frozen=True)
class Scale:
    """The mean and the standard deviation of the targets of training, by which all are standardised."""

    mean: float
    deviation: float


def in_batches(molecules: Sequence[Molecule], device: torch.device, size: int = 500) -> Iterator[MoleculeBatch]:
    """Yield molecules in their order, as batches."""
    for start in range(0, len(molecules), size):
        yield batch_molecules(molecules[start : start + size]).to(device)


class Network(nn.Module):
    """Atoms pass messages, and each adds a number: h' = h + relu(norm(layer(h))), y = bias + sum (or mean) of w . z.

    z is all that is known of an atom: its features, h before and after each layer (Xu et al. 2019, equation 4.2, reads
    all layers too), and a hidden layer on top. y is linear in w, which `solve_last_layer` uses.

    Args:
        kind: gine, which sees the kinds of bonds, or gin, gcn, gat, sage, which see only that there is a bond.
        atom_features, bond_features: numbers by atom and by bond.
        width: features of an atom inside.
        depth: layers; as many bonds away an atom can see.
        readout: sum or mean.

    Raises:
        ValueError: another kind or readout, no layer, or a width that four heads cannot share.
    """

    def __init__(
        self, kind: str, atom_features: int, bond_features: int, *, width: int, depth: int, readout: str = "sum"
    ) -> None:
        super().__init__()
        if kind not in KINDS or readout not in READOUTS or depth < 1 or width < 4 or width % 4:
            raise ValueError(
                f"a network needs a layer of {', '.join(KINDS)}, a readout of {', '.join(READOUTS)}, a depth of at "
                f"least 1 and a width that 4 heads share; got {kind!r}, {readout!r}, {depth} and {width}"
            )
        make = {
            "gine": lambda: GINELayer(width, width, bond_features),
            "gin": lambda: GINLayer(width, width),
            "gcn": lambda: GCNLayer(width, width),
            "gat": lambda: GATLayer(width, width // 4, heads=4),
            "sage": lambda: SAGELayer(width, width),
        }[kind]
        self.embed = nn.Linear(atom_features, width)
        self.layers = nn.ModuleList(make() for _ in range(depth))
        # In training over the atoms of a batch; then constants, so that a molecule alone gets what it gets in a batch.
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(depth + 1))
        self.hidden = nn.Linear(width, width)
        self.last = nn.Linear(atom_features + width * (depth + 2), 1)
        # Random numbers, summed over atoms, would be far off: training starts from its mean for every molecule.
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.sees_bonds, self.reduce = kind == "gine", READOUTS[readout]

    def describe(self, atoms: Tensor, bonds: Tensor, graph: Graph) -> Tensor:
        """Return z: (nodes, inputs of the last layer)."""
        hidden = self.embed(atoms)  # (nodes, width)
        known = [atoms, hidden]
        *norms, top = self.norms
        for layer, norm in zip(self.layers, norms, strict=True):
            seen = (hidden, graph, bonds) if self.sees_bonds else (hidden, graph)
            hidden = hidden + functional.relu(norm(layer(*seen)))
            known.append(hidden)
        return torch.cat([*known, functional.relu(self.hidden(top(hidden)))], dim=1)

    def contributions(self, atoms: Tensor, bonds: Tensor, graph: Graph) -> Tensor:
        """Return what each atom adds: (nodes)."""
        return self.describe(atoms, bonds, graph) @ self.last.weight[0]

    def forward(self, batch: MoleculeBatch) -> Tensor:
        """Return the standardised target: (graphs)."""
        each = self.contributions(batch.atoms, batch.bonds, batch.graph)
        return self.reduce(each, graph_ids(batch.graph), batch.graph.graphs) + self.last.bias


@torch.no_grad()
def solve_last_layer(
    model: Network, scale: Scale, training: Sequence[Molecule], validation: Sequence[Molecule]
) -> float:
    """Set the last layer to the least squares solution on the training molecules; return the error on validation.

    The sums of z over atoms all grow with the molecule, so they are nearly collinear, and gradient descent is slow
    along what tells them apart. Ridge regression is not; the validation molecules choose its penalty.
    """
    inputs, truths = [], [(targets_of(part) - scale.mean) / scale.deviation for part in (training, validation)]
    for part in (training, validation):
        sums = []
        for batch in in_batches(part, next(model.parameters()).device):
            z = model.eval().describe(batch.atoms, batch.bonds, batch.graph)
            sums.append(model.reduce(z, graph_ids(batch.graph), batch.graph.graphs).cpu())
        inputs.append(torch.cat(sums).numpy())
    unit = inputs[0].std(axis=0) + 1e-6
    weights, offsets = solve_ridge(inputs[0] / unit, truths[0], STRENGTHS)
    # Single precision, as the network will compute it: the smallest penalties may ask for more.
    weights, offsets = (weights / unit[:, None]).astype(np.float32), offsets.astype(np.float32)
    errors = np.abs(inputs[1] @ weights + offsets - truths[1][:, None]).mean(axis=0)
    best = int(errors.argmin())
    model.last.weight.copy_(torch.from_numpy(weights[:, best]))
    model.last.bias.fill_(float(offsets[best]))
    return float(errors[best]) * scale.deviation


@torch.no_grad()
def agreement_of_atoms(model: Network, molecules: Sequence[Molecule]) -> float:
    """Return the correlation of what a network adds for each atom with what Crippen's logP adds there."""
    batch = batch_molecules(molecules).to(next(model.parameters()).device)
    learnt = model.eval().contributions(batch.atoms, batch.bonds, batch.graph).cpu().numpy()
    true = np.concatenate([logp_of_atoms(molecule.smiles) for molecule in molecules])
    return float(np.corrcoef(learnt, true)[0, 1])


# Linear models


def atom_counts(molecules: Sequence[Molecule]) -> np.ndarray:
    """Return how many atoms of a molecule have each feature: (molecules, features)."""
    return np.stack([molecule.atoms.sum(dim=0).numpy() for molecule in molecules])


def weights(molecules: Sequence[Molecule]) -> np.ndarray:
    """Return the molecular weights: (molecules, 1)."""
    from rdkit.Chem import rdMolDescriptors

    return np.array([[rdMolDescriptors._CalcMolWt(parse_smiles(molecule.smiles))] for molecule in molecules])


def fingerprints(molecules: Sequence[Molecule], *, counts: bool) -> np.ndarray:
    """Return Morgan fingerprints (Rogers & Hahn 2010): which neighbourhoods of up to two bonds occur, or how often.

    Each neighbourhood is hashed to one of 2,048 places: (molecules, 2048).
    """
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    make = generator.GetCountFingerprintAsNumPy if counts else generator.GetFingerprintAsNumPy
    return np.stack([make(parse_smiles(molecule.smiles)) for molecule in molecules]).astype(np.float32)


def solve_ridge(inputs: np.ndarray, targets: np.ndarray, strengths: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (features, strengths) and offsets (strengths) of ridge regression for several penalties."""
    centre, mean = inputs.mean(axis=0, dtype=np.float64), targets.mean()
    centred = inputs - centre
    # One eigendecomposition serves all strengths: (X'X + s I)^-1 X'y = V (V'X'y / (values + s)).
    values, vectors = np.linalg.eigh(centred.T @ centred)
    projected = vectors.T @ (centred.T @ (targets - mean))
    weights = vectors @ (projected[:, None] / (values.clip(min=0)[:, None] + np.array(strengths)))
    return weights, mean - centre @ weights


def ridge(
    inputs: Sequence[np.ndarray], targets: Sequence[np.ndarray], strengths: Sequence[float]
) -> tuple[float, float]:
    """Return the mean absolute errors of ridge regression on validation and test.

    Args:
        inputs, targets: those of training, validation and test.
        strengths: penalties to try; the validation set chooses.
    """
    weights, offsets = solve_ridge(inputs[0], targets[0], strengths)
    validation, test = (
        np.abs(data @ weights + offsets - truth[:, None]).mean(axis=0)
        for data, truth in zip(inputs[1:], targets[1:], strict=True)
    )
    best = int(validation.argmin())
    return float(validation[best]), float(test[best])


def linear_errors(*parts: Sequence[Molecule]) -> dict[str, tuple[float, float]]:
    """Return the mean absolute errors on validation and test, by model: the mean, and linear ones on what is counted.

    Args:
        parts: the molecules of training, validation and test. Without SMILES there are no weights and fingerprints.
    """
    truths = [targets_of(part) for part in parts]
    mean = truths[0].mean()
    found = {"the mean of training": (float(np.abs(truths[1] - mean).mean()), float(np.abs(truths[2] - mean).mean()))}
    views: dict[str, Callable[[Sequence[Molecule]], np.ndarray]] = {"counts of atoms, ridge": atom_counts}
    if parts[0][0].smiles:
        views = {
            "molecular weight, linear": weights,
            **views,
            "Morgan bits, ridge": partial(fingerprints, counts=False),
            "Morgan counts, ridge": partial(fingerprints, counts=True),
        }
    for name, view in views.items():
        found[name] = ridge([view(part) for part in parts], truths, STRENGTHS)
    return found
