"""Cora, CiteSeer and PubMed as Yang et al. (2016) published them: eight files each, in Python's pickle format.

What a file says is checked before it is used: a number that points elsewhere would give a wrong graph without a word.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from shared.graph.graphs import Graph
from shared.graph.node_data import NodeData
from shared.lab.data_pickles import PickledArray, read_pickle
from shared.lab.datasets import check_files, fetch
from shared.lab.sources import SOURCES

PARTS = ("x", "y", "tx", "ty", "allx", "ally", "graph", "test.index")
VALIDATION = 500  # the nodes after those of training, by the split of Yang et al.


class SparseRows:
    """What a pickle of scipy.sparse.csr_matrix holds."""

    data: PickledArray
    indices: PickledArray
    indptr: PickledArray
    _shape: tuple[int, int]

    def dense(self) -> np.ndarray:
        """Return the matrix.

        Raises:
            ValueError: its parts do not fit each other, or it holds a number that is not finite.
        """
        rows, columns = self._shape
        data, indices, ends = self.data.array, self.indices.array, self.indptr.array
        lengths = np.diff(ends)
        if len(ends) != rows + 1 or ends[0] != 0 or (lengths < 0).any() or not ends[-1] == len(data) == len(indices):
            raise ValueError(f"the rows of a matrix of {rows} must follow each other to the end of its numbers")
        if len(indices) and not 0 <= indices.min() <= indices.max() < columns:
            raise ValueError(f"columns must be from 0 to {columns - 1}")
        if not np.isfinite(data).all():
            raise ValueError("numbers must be finite")
        matrix = np.zeros((rows, columns), dtype=np.float32)
        matrix[np.repeat(np.arange(rows), lengths), indices] = data
        return matrix


# Names of old and of new versions of SciPy.
MATRICES = {f"scipy.sparse.{module}.csr_matrix": SparseRows for module in ("csr", "_csr")}


def read_part(path: Path) -> Any:
    """Return what one of the files holds: a matrix as an array, the numbers of the test nodes, or the graph.

    Raises:
        ValueError: it is missing, or is not what a planetoid file is.
    """
    if not path.is_file():
        raise ValueError(
            f"there is no {path.name} in {path.parent}: get the eight files ind.NAME.{{{','.join(PARTS)}}} from "
            "https://github.com/kimiyoung/planetoid, and name their folder with --folder"
        )
    if path.suffix == ".index":
        return _read_index(path)
    content = read_pickle(path, MATRICES)
    try:
        return _part(content, path.suffix)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} is not the part of a planetoid data set that it should be: {error}") from None


def _read_index(path: Path) -> np.ndarray:
    words = path.read_text(encoding="latin1").split()
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        raise ValueError(f"{path.name} must hold the number of a test node in each line: get it again")
    numbers = np.array([int(word) for word in words])
    if len(np.unique(numbers)) < len(numbers):
        raise ValueError(f"{path.name} names a test node twice: get it again")
    return numbers


def _part(content: Any, suffix: str) -> Any:
    """Return what a pickle holds, by the end of its name: .x, .tx, .allx words, .y, .ty, .ally labels, .graph."""
    if suffix.endswith("x"):
        return content.dense()
    if suffix.endswith("y"):
        labels = content.array
        if labels.ndim != 2 or not np.isin(labels, (0, 1)).all() or (labels.sum(axis=1) > 1).any():
            raise ValueError("labels must be rows with a 1 at most")
        return labels
    if not all(isinstance(number, int) for node, near in content.items() for number in (node, *near)):
        raise ValueError("neighbours must be numbers")
    return content


class PlanetoidParts(NamedTuple):
    """The parts of a data set as arrays."""

    features: np.ndarray  # (num_nodes, words)
    labels: np.ndarray  # (num_nodes, num_classes), a row of zeros where nothing is known
    neighbours: dict[int, list[int]]
    num_train: int
    test_nodes: np.ndarray


def read_parts(name: str, folder: Path) -> PlanetoidParts:
    """Return the parts of a data set, its test nodes at their places.

    Raises:
        ValueError: a file is missing, is not what it should be, or does not fit the others.
    """
    parts = {part: read_part(folder / f"ind.{name}.{part}") for part in PARTS}
    order, words, subjects = parts["test.index"], parts["allx"], parts["ally"]
    known, num_nodes = len(subjects), max(len(subjects), int(order.max()) + 1)
    shapes = {part: parts[part].shape for part in ("x", "y", "tx", "ty", "allx", "ally")}
    widths = [{shapes[part][1] for part in group} for group in (("x", "tx", "allx"), ("y", "ty", "ally"))]
    heights = {part: shape[0] for part, shape in shapes.items()}
    belong_together = (
        [len(group) for group in widths] == [1, 1]
        and heights["allx"] == known >= heights["x"] == heights["y"]
        and heights["tx"] == heights["ty"] == len(order)
        and known <= order.min() <= order.max() < 2 * (known + len(order))
    )
    if not belong_together:
        raise ValueError(f"the files ind.{name}.* in {folder} do not belong together ({shapes}): get them again")
    near = [number for node, ends in parts["graph"].items() for number in (node, *ends)]
    if not near or not 0 <= min(near) <= max(near) < num_nodes:
        raise ValueError(f"ind.{name}.graph in {folder} must join nodes from 0 to {num_nodes - 1}: get it again")
    features = np.zeros((num_nodes, words.shape[1]), dtype=np.float32)
    labels = np.zeros((num_nodes, subjects.shape[1]), dtype=np.int64)
    features[:known], labels[:known] = words, subjects
    # Some test nodes of CiteSeer are missing: they stay without words and without a label.
    features[order], labels[order] = parts["tx"], parts["ty"]
    return PlanetoidParts(features, labels, parts["graph"], len(parts["y"]), order)


def load_planetoid(name: str, folder: Path | None = None) -> NodeData:
    """Return a citation network: papers, their words (rows that sum to 1, sparse), who cites whom, their subjects.

    The public split: the first nodes train (20 of each class), the next 500 choose, 1000 others are the test.

    Args:
        name: "cora", "citeseer" or "pubmed".
        folder: holds the files (default: where `fetch` finds them or downloads them to); checksums are checked.

    Raises:
        ValueError: a file is missing or is not what it should be.
        shared.lab.datasets.DataError: they can neither be found nor downloaded.
    """
    if folder is not None and name in SOURCES:
        check_files(SOURCES[name], folder)
    parts = read_parts(name, folder or fetch(name))
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
