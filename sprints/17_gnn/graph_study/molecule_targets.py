"""What is predicted of a molecule: numbers that RDKit computes from its structure."""

from collections.abc import Callable
from typing import Any

from graph_study.smiles import parse_smiles


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
