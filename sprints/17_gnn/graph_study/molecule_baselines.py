"""Linear models on what chemists count: atoms, weights, and fingerprints of neighbourhoods."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from graph_study.molecular_graphs import Molecule, targets_of
from graph_study.ridge import STRENGTHS, ridge_errors
from graph_study.smiles import parse_smiles

RADIUS, BITS = 2, 2048


def atom_counts(molecules: Sequence[Molecule]) -> np.ndarray:
    """Return how many atoms of a molecule have each feature: (molecules, features)."""
    return np.stack([molecule.atoms.sum(dim=0).numpy() for molecule in molecules])


def molecular_weights(molecules: Sequence[Molecule]) -> np.ndarray:
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


def linear_errors(*parts: Sequence[Molecule]) -> dict[str, tuple[float, float]]:
    """Return the mean absolute errors on validation and test, by model: the mean, and linear ones on what is counted.

    Args:
        parts: the molecules of training, validation and test. Without SMILES there are no weights and fingerprints.
    """
    truths = [targets_of(part) for part in parts]
    mean = truths[0].mean()
    off = [float(np.abs(truth - mean).mean()) for truth in truths[1:]]
    errors = {"the mean of training": (off[0], off[1])}
    views: dict[str, Callable[[Sequence[Molecule]], np.ndarray]] = {"counts of atoms, ridge": atom_counts}
    if parts[0][0].smiles:
        views = {
            "molecular weight, linear": molecular_weights,
            **views,
            "Morgan bits, ridge": partial(fingerprints, counts=False),
            "Morgan counts, ridge": partial(fingerprints, counts=True),
        }
    for name, view in views.items():
        errors[name] = ridge_errors([view(part) for part in parts], truths, STRENGTHS)
    return errors
