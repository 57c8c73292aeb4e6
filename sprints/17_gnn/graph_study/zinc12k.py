"""The published benchmark ZINC-12k (Dwivedi et al. 2020), read through PyTorch Geometric."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch.nn import functional

from graph_study.molecular_graphs import Molecule
from shared.graph.graphs import Graph
from shared.lab.datasets import VARIABLE, DataError

ATOM_TYPES, BOND_TYPES = 28, 4


def published(root: Path, split: str, limit: int | None = None) -> list[Molecule]:
    """Return a part (train, val, test) of ZINC-12k (Dwivedi et al. 2020): types of atoms and bonds, and no SMILES.

    The target is the penalised logP of the benchmark: logP minus synthetic accessibility minus large rings, each
    standardised.

    Raises:
        ValueError: torch_geometric is not installed.
        DataError: the data is not there and cannot be downloaded.
    """
    if find_spec("torch_geometric") is None:
        raise ValueError(
            "zinc12k is read by torch_geometric, which is not installed: run with uv run --group reference"
        )
    from torch_geometric.datasets import ZINC

    try:
        graphs = list(ZINC(str(root), subset=True, split=split))
    except (OSError, ValueError) as error:  # what fsspec raises without a network is among these
        raise DataError(
            f"cannot get ZINC-12k ({error}): unpack the folder molecules of {ZINC.url} to {root / 'raw'}, add "
            f"{', '.join(ZINC.split_url.format(name) for name in ('train', 'val', 'test'))}, or set {VARIABLE} to a "
            "folder that holds zinc12k/raw. --data zinc has other molecules of the same origin, and another target"
        ) from error
    return [_typed(graph) for graph in graphs[:limit]]


def _typed(data: Any) -> Molecule:
    """Return a molecule of PyTorch Geometric's as ours."""
    atoms, bonds = functional.one_hot(data.x[:, 0], ATOM_TYPES), functional.one_hot(data.edge_attr, BOND_TYPES)
    return Molecule(Graph(data.edge_index, data.num_nodes), atoms.float(), bonds.float(), data.y.item())
