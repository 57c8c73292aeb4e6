"""Cora, CiteSeer and PubMed as Yang et al. (2016) published them: eight files each, in Python's pickle format.

A pickle is a program that builds objects, and may build whatever it names. So these are read by an unpickler that knows
arrays, sparse matrices, lists and dictionaries, and refuses every other name before anything of it runs.
"""

import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from graph_study.node_networks import NodeData
from shared.graph.graphs import Graph
from shared.lab.datasets import fetch

PARTS = ("x", "y", "tx", "ty", "allx", "ally", "graph", "test.index")
VALIDATION = 500  # the nodes after those of training, by the split of Yang et al.


class SparseRows:
    """What a pickle of scipy.sparse.csr_matrix holds."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    _shape: tuple[int, int]

    def dense(self) -> np.ndarray:
        rows = np.zeros(self._shape, dtype=np.float32)
        rows[np.repeat(np.arange(self._shape[0]), np.diff(self.indptr)), self.indices] = self.data
        return rows


def _encode(text: str, encoding: str) -> bytes:
    """Return text as bytes: how Python 2 pickled them, read by Python 3."""
    return text.encode(encoding)


# Names of old and of new versions of NumPy and SciPy.
ALLOWED: dict[str, Any] = {
    "collections.defaultdict": dict,
    "__builtin__.list": list,
    "builtins.list": list,
    "_codecs.encode": _encode,
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": np.dtype,
}


class PlanetoidUnpickler(pickle.Unpickler):
    """An unpickler that builds arrays, sparse matrices, lists and dictionaries, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name of the pickle means.

        Raises:
            ValueError: a name that a planetoid file does not hold.
        """
        if name == "csr_matrix" and module.split(".")[:2] == ["scipy", "sparse"]:
            return SparseRows
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.zeros(0).__reduce__()[0]  # NumPy's function that begins an array
        if name == "defaultdict":
            return _default_dictionary
        if f"{module}.{name}" not in ALLOWED:
            raise ValueError(
                f"a planetoid file holds arrays, sparse matrices, lists and dictionaries; this one asks for "
                f"{module}.{name}, which nobody needs for a graph. It was not run"
            )
        return ALLOWED[f"{module}.{name}"]


def _default_dictionary(*_: Any) -> dict:
    """Return a dictionary: the graph is one whose missing keys are empty lists, which nothing here asks for."""
    return {}


def read_part(path: Path) -> Any:
    """Return what one of the files holds.

    Raises:
        ValueError: it is missing, is no pickle, or builds what a planetoid file does not.
    """
    if not path.is_file():
        raise ValueError(
            f"there is no {path.name} in {path.parent}: get the eight files ind.NAME.{{{','.join(PARTS)}}} from "
            "https://github.com/kimiyoung/planetoid, and name their folder with --folder"
        )
    if path.suffix == ".index":
        return np.loadtxt(path, dtype=np.int64)
    try:
        with open(path, "rb") as file:
            return PlanetoidUnpickler(file, encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, UnicodeError) as error:
        raise ValueError(f"{path.name} is no pickle of a planetoid data set ({error}): get it again") from None


class PlanetoidParts(NamedTuple):
    """The parts of a data set as arrays."""

    features: np.ndarray  # (num_nodes, words)
    labels: np.ndarray  # (num_nodes, num_classes), a row of zeros where nothing is known
    neighbours: dict[int, list[int]]
    num_train: int
    test_nodes: np.ndarray


def read_parts(name: str, folder: Path) -> PlanetoidParts:
    """Return the parts of a data set, its test nodes at their places."""
    parts = {part: read_part(folder / f"ind.{name}.{part}") for part in PARTS}
    order = parts["test.index"]
    known, num_nodes = len(parts["ally"]), int(order.max()) + 1
    features = np.zeros((num_nodes, parts["tx"]._shape[1]), dtype=np.float32)
    labels = np.zeros((num_nodes, parts["ty"].shape[1]), dtype=np.int64)
    features[:known], labels[:known] = parts["allx"].dense(), parts["ally"]
    # Some test nodes of CiteSeer are missing: they stay without words and without a label.
    features[order], labels[order] = parts["tx"].dense(), parts["ty"]
    return PlanetoidParts(features, labels, parts["graph"], len(parts["y"]), order)


def load_planetoid(name: str, folder: Path | None = None) -> NodeData:
    """Return a citation network: papers, their words (rows that sum to 1, sparse), who cites whom, their subjects.

    The public split: the first nodes train (20 of each class), the next 500 choose, 1000 others are the test.

    Args:
        name: "cora", "citeseer" or "pubmed".
        folder: holds the files (default: Cora's are downloaded, the others looked for beside them).

    Raises:
        ValueError: a file is missing or is not what it should be.
        shared.lab.datasets.DataError: Cora can neither be found nor downloaded.
    """
    parts = read_parts(name, folder or fetch("planetoid"))
    num_nodes = len(parts.features)
    pairs = torch.tensor([(node, neighbour) for node, near in parts.neighbours.items() for neighbour in near])
    pairs = pairs[pairs[:, 0] != pairs[:, 1]].sort(dim=1).values.unique(dim=0)
    rows = torch.from_numpy(parts.features)
    rows = rows / rows.sum(dim=1, keepdim=True).clamp(min=1)
    masks = torch.zeros(3, num_nodes, dtype=torch.bool)
    masks[0, : parts.num_train] = True
    masks[1, parts.num_train : parts.num_train + VALIDATION] = True
    masks[2, torch.from_numpy(parts.test_nodes)] = True
    labels = torch.from_numpy(parts.labels)
    masks[2] &= labels.sum(dim=1) > 0
    graph = Graph.undirected(pairs, num_nodes)
    return NodeData(graph, rows.to_sparse(), labels.argmax(dim=1), labels.shape[1], *masks)
