"""Molecules as graphs: SMILES to atoms, bonds and a `shared.graph.graphs.Graph`.

A bond is stored in both directions, hydrogens are counted at their atom. Nothing here knows how a target is computed:
no feature is a contribution to logP, a surface or a charge that a model of quantum chemistry would have to find.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from graph_study.molecule_targets import TARGETS
from graph_study.smiles import parse_smiles
from shared.graph.graphs import Graph, batch_graphs

ELEMENTS = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
DEGREES, HYDROGENS, CHARGES = range(6), range(5), (-1, 0, 1)
# The last of each one-hot code stands for everything else.
ATOM_FEATURES = len(ELEMENTS) + len(DEGREES) + len(HYDROGENS) + len(CHARGES) + 4 + 2
BONDS = ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC")
BOND_FEATURES = len(BONDS) + 1 + 2


@dataclass(frozen=True, eq=False)
class Molecule:
    """A molecule: its atoms (num_nodes, features), its bonds (num_edges, features), and the value that is to be found.

    `flat` is its SMILES without stereochemistry: two molecules with the same one are the same graph.
    """

    graph: Graph
    atoms: Tensor
    bonds: Tensor
    target: float
    smiles: str = ""
    flat: str = ""


class MoleculeBatch(NamedTuple):
    """Several molecules as one graph, and their targets: (num_graphs)."""

    graph: Graph
    atoms: Tensor
    bonds: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> "MoleculeBatch":
        """Return the batch on a device."""
        atoms, bonds, targets = (part.to(device) for part in (self.atoms, self.bonds, self.targets))
        return MoleculeBatch(self.graph.to(device), atoms, bonds, targets)


def batch_molecules(molecules: Sequence[Molecule]) -> MoleculeBatch:
    """Return molecules side by side; nothing is padded, for a graph ends where its nodes end."""
    return MoleculeBatch(
        batch_graphs([molecule.graph for molecule in molecules]),
        torch.cat([molecule.atoms for molecule in molecules]),
        torch.cat([molecule.bonds for molecule in molecules]),
        torch.tensor([molecule.target for molecule in molecules]),
    )


def targets_of(molecules: Sequence[Molecule]) -> np.ndarray:
    """Return the targets of molecules: (molecules)."""
    return np.array([molecule.target for molecule in molecules])


def read_molecule(smiles: str, where: str = "", target: str = "logp") -> Molecule:
    """Return the graph, the features and the target of a SMILES.

    Raises:
        ValueError: it is no SMILES, or no such target.
    """
    from rdkit import Chem

    if target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}; got {target!r}")
    parsed = parse_smiles(smiles, where)
    bonds = list(parsed.GetBonds())
    pairs = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds]
    kinds = torch.tensor([_bond_row(bond) for bond in bonds], dtype=torch.float32).view(-1, BOND_FEATURES)
    return Molecule(
        Graph.undirected(pairs, parsed.GetNumAtoms()),
        torch.tensor([_atom_row(atom) for atom in parsed.GetAtoms()], dtype=torch.float32),
        torch.cat([kinds, kinds]),  # `undirected` has all bonds in one direction, then all in the other
        TARGETS[target](parsed),
        smiles,
        Chem.MolToSmiles(parsed, isomericSmiles=False),
    )


def _one_hot(value: Any, values: Sequence[Any]) -> list[float]:
    return [*(float(value == known) for known in values), float(value not in values)]


# Few kinds of atoms and bonds occur in a set of molecules, so each row is made once.


@cache
def _atom(element: str, degree: int, hydrogens: int, charge: int, aromatic: bool, ring: bool) -> list[float]:
    code = zip((element, degree, hydrogens, charge), (ELEMENTS, DEGREES, HYDROGENS, CHARGES), strict=True)
    return [*(number for value, values in code for number in _one_hot(value, values)), float(aromatic), float(ring)]


@cache
def _bond(kind: str, ring: bool, conjugated: bool) -> list[float]:
    return [*_one_hot(kind, BONDS), float(ring), float(conjugated)]


def _atom_row(atom: Any) -> list[float]:
    return _atom(
        atom.GetSymbol(),
        atom.GetDegree(),
        atom.GetTotalNumHs(),
        atom.GetFormalCharge(),
        atom.GetIsAromatic(),
        atom.IsInRing(),
    )


def _bond_row(bond: Any) -> list[float]:
    return _bond(bond.GetBondType().name, bond.IsInRing(), bond.GetIsConjugated())
