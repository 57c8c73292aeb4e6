"""The published benchmark ZINC-12k (Dwivedi et al. 2020), from the pickles that it is published as.

PyTorch Geometric reads them too, by an unpickler that runs whatever a file asks for, and without a checksum. Here
nothing is downloaded, for nobody has published one; what is there is read as data.
"""

import io
import warnings
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graph_study.molecular_graphs import Molecule
from shared.graph.graphs import Graph
from shared.lab.data_pickles import read_pickle
from shared.lab.datasets import VARIABLE, DataError, find_folder
from shared.lab.provenance import note_read

ATOM_TYPES, BOND_TYPES = 28, 4
MOLECULES = "https://www.dropbox.com/s/feo9qle74kg48gy/molecules.zip?dl=1"
INDICES = "https://raw.githubusercontent.com/graphdeeplearning/benchmarking-gnns/master/data/molecules"


def published(split: str, limit: int | None = None) -> list[Molecule]:
    """Return a part (train, val, test) of ZINC-12k (Dwivedi et al. 2020): types of atoms and bonds, and no SMILES.

    The target is the penalised logP of the benchmark: logP minus synthetic accessibility minus large rings, each
    standardised.

    Raises:
        DataError: a file is not there; says where it comes from.
        ValueError: a file is not what it should be.
    """
    names = [f"{split}.pickle", f"{split}.index"]
    folder = find_folder("zinc12k/raw", names)
    pickled, index = (folder / name for name in names)
    for file in (pickled, index):
        if not file.is_file():
            raise DataError(
                f"{file} is missing: unpack the folder molecules of {MOLECULES} to {folder}, add train.index, "
                f"val.index and test.index of {INDICES}, or set {VARIABLE} to a folder that holds zinc12k/raw. --data "
                "zinc has other molecules of the same origin, and another target"
            )
        note_read(file, f"zinc12k/{file.name}")
    made = read_pickle(pickled, BUILDERS)
    words = index.read_text(encoding="latin1").strip().split(",")
    if not isinstance(made, list) or not all(word.isdigit() and int(word) < len(made) for word in words):
        raise ValueError(f"{index.name} must hold numbers of molecules of {pickled.name}: get both again")
    try:
        return [_typed(made[int(word)]) for word in words[:limit]]
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{pickled.name} holds no molecules of ZINC-12k ({error}): get it again") from None


def _storage(content: bytes) -> Tensor:
    """Return the numbers of a tensor in a row, which PyTorch pickles inside of a pickle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that such storages are out of use
        storage = torch.load(io.BytesIO(content), weights_only=True)
        return torch.empty(0, dtype=storage.dtype).set_(storage.untyped())


def _tensor(numbers: Tensor, offset: int, size: tuple, stride: tuple, *_: Any) -> Tensor:
    """Return a tensor; `as_strided` checks that it lies within its numbers."""
    return numbers.as_strided(size, stride, offset).clone()


BUILDERS = {
    "torch.storage._load_from_bytes": _storage,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor": _tensor,
}


def _typed(data: dict[str, Tensor]) -> Molecule:
    """Return a molecule of the benchmark as ours."""
    kinds, bonds, target = data["atom_type"].long(), data["bond_type"].long(), data["logP_SA_cycle_normalized"].item()
    if bonds.shape != (len(kinds), len(kinds)) or not torch.tensor(target).isfinite():
        raise ValueError(f"{len(kinds)} atoms with bonds {tuple(bonds.shape)} and the target {target}")
    edge_index = bonds.nonzero().T.contiguous()
    atoms = functional.one_hot(kinds, ATOM_TYPES).float()
    return Molecule(
        Graph(edge_index, len(kinds)), atoms, functional.one_hot(bonds[*edge_index], BOND_TYPES).float(), target
    )
