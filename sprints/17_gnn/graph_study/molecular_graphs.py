"""Molecules as graphs: SMILES to atoms, bonds and a `shared.graph.graphs.Graph`, and what is predicted.

A bond is stored in both directions, hydrogens are counted at their atom. Nothing here knows how a target is computed:
no feature is a contribution to logP, a surface or a charge that a model of quantum chemistry would have to find.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from shared.graph.graphs import Graph, batch_graphs

ELEMENTS = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
DEGREES, HYDROGENS, CHARGES = range(6), range(5), (-1, 0, 1)
# The last of each one-hot code stands for everything else.
ATOM_FEATURES = len(ELEMENTS) + len(DEGREES) + len(HYDROGENS) + len(CHARGES) + 4 + 2
BONDS = ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC")
BOND_FEATURES = len(BONDS) + 1 + 2


@dataclass(frozen=True, eq=False)
class Molecule:
    """A molecule: its atoms (nodes, features), its bonds (edges, features), and the value that a model has to find.

    `flat` is its SMILES without stereochemistry: two molecules with the same one are the same graph.
    """

    graph: Graph
    atoms: Tensor
    bonds: Tensor
    target: float
    smiles: str = ""
    flat: str = ""


class MoleculeBatch(NamedTuple):
    """Several molecules as one graph, and their targets: (graphs)."""

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


def require_rdkit() -> None:
    """Check that RDKit is there.

    Raises:
        ValueError: it is not; says how to run with it.
    """
    if find_spec("rdkit") is None:
        raise ValueError(
            "molecules need RDKit, which is not installed: run\n"
            "    uv run --group molecules sprints/17_gnn/molecules.py\n"
            "or install it by pip install rdkit. Only --data zinc12k does without"
        )


def parse_smiles(smiles: str, where: str = "") -> Any:
    """Return what RDKit makes of a SMILES.

    Args:
        smiles: the molecule as text.
        where: what an error says first, for example the file and the line.

    Raises:
        ValueError: it is no SMILES, or has no atom.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        parsed = Chem.MolFromSmiles(smiles)
    if parsed is None or parsed.GetNumAtoms() == 0:
        start = f"{where}: " if where else ""
        raise ValueError(
            f"{start}a molecule must be a SMILES that RDKit can read, such as CC(=O)Oc1ccccc1C(=O)O; got {smiles!r}: "
            "correct or delete it (one SMILES a line, a name may follow after a space)"
        )
    return parsed


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


# What is predicted


def _logp(parsed: Any) -> float:
    from rdkit.Chem import rdMolDescriptors

    return rdMolDescriptors.CalcCrippenDescriptors(parsed)[0]


def _tpsa(parsed: Any) -> float:
    from rdkit.Chem import rdMolDescriptors

    return rdMolDescriptors.CalcTPSA(parsed)


def _qed(parsed: Any) -> float:
    from rdkit.Chem import QED

    return QED.qed(parsed)


def _rings(parsed: Any) -> float:
    return float(parsed.GetRingInfo().NumRings())


TARGETS: dict[str, Callable[[Any], float]] = {"logp": _logp, "tpsa": _tpsa, "qed": _qed, "rings": _rings}


def logp_of_atoms(smiles: str) -> list[float]:
    """Return what each atom adds to Crippen's logP, its hydrogens included; the list sums to the logP."""
    from rdkit import Chem
    from rdkit.Chem import rdMolDescriptors

    parsed = Chem.AddHs(parse_smiles(smiles))
    sums = [0.0] * parsed.GetNumAtoms()
    for atom, (logp, _) in zip(parsed.GetAtoms(), rdMolDescriptors._CalcCrippenContribs(parsed), strict=True):
        # AddHs appends: the atoms of the graph keep their numbers, and a hydrogen has one neighbour.
        added = atom.GetAtomicNum() == 1 and atom.GetDegree() == 1
        sums[atom.GetNeighbors()[0].GetIdx() if added else atom.GetIdx()] += logp
    return sums[: parse_smiles(smiles).GetNumAtoms()]
