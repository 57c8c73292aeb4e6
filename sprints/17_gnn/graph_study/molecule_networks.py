"""A network that predicts a number for a molecule from its graph, and whose last layer can be solved.

Nothing here knows where molecules come from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graph_study.molecular_graphs import Molecule, MoleculeBatch, batch_molecules, targets_of
from graph_study.molecule_targets import logp_of_atoms
from graph_study.ridge import STRENGTHS, solve_ridge
from shared.graph.graphs import Graph
from shared.graph.layers import GATLayer, GCNLayer, GINELayer, GINLayer, SAGELayer
from shared.graph.message_passing import scatter_mean, scatter_sum

Kind = Literal["gine", "gin", "gcn", "gat", "sage"]
KINDS: tuple[Kind, ...] = get_args(Kind)
READOUTS = {"sum": scatter_sum, "mean": scatter_mean}


@dataclass(frozen=True)
class TargetScale:
    """The mean and the standard deviation of the targets of training, by which all are standardised."""

    mean: float
    deviation: float


def in_batches(molecules: Sequence[Molecule], device: torch.device, size: int = 500) -> Iterator[MoleculeBatch]:
    """Yield molecules in their order, as batches."""
    for start in range(0, len(molecules), size):
        yield batch_molecules(molecules[start : start + size]).to(device)


class MoleculeNetwork(nn.Module):
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
        """Return z: (num_nodes, inputs of the last layer)."""
        hidden = self.embed(atoms)  # (num_nodes, width)
        known = [atoms, hidden]
        *norms, top = self.norms
        for layer, norm in zip(self.layers, norms, strict=True):
            seen = (hidden, graph, bonds) if self.sees_bonds else (hidden, graph)
            hidden = hidden + functional.relu(norm(layer(*seen)))
            known.append(hidden)
        return torch.cat([*known, functional.relu(self.hidden(top(hidden)))], dim=1)

    def contributions(self, atoms: Tensor, bonds: Tensor, graph: Graph) -> Tensor:
        """Return what each atom adds: (num_nodes)."""
        return self.describe(atoms, bonds, graph) @ self.last.weight[0]

    def forward(self, batch: MoleculeBatch) -> Tensor:
        """Return the standardised target: (num_graphs)."""
        each = self.contributions(batch.atoms, batch.bonds, batch.graph)
        return self.reduce(each, batch.graph.batch, batch.graph.num_graphs) + self.last.bias


@torch.no_grad()
def solve_last_layer(
    model: MoleculeNetwork, scale: TargetScale, training: Sequence[Molecule], validation: Sequence[Molecule]
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
            sums.append(model.reduce(z, batch.graph.batch, batch.graph.num_graphs).cpu())
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
def agreement_of_atoms(model: MoleculeNetwork, molecules: Sequence[Molecule]) -> float:
    """Return the correlation of what a network adds for each atom with what Crippen's logP adds there."""
    batch = batch_molecules(molecules).to(next(model.parameters()).device)
    learnt = model.eval().contributions(batch.atoms, batch.bonds, batch.graph).cpu().numpy()
    true = np.concatenate([logp_of_atoms(molecule.smiles) for molecule in molecules])
    return float(np.corrcoef(learnt, true)[0, 1])
