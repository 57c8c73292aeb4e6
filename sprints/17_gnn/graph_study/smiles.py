"""Molecules as text, read by RDKit: SMILES, what is wrong with one, and what to do where RDKit is missing."""

from importlib.util import find_spec
from typing import Any


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
