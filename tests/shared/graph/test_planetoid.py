"""Citation networks as they were published: read, put in order, refused where a file is not what it should be."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from shared.graph import planetoid
from shared.lab.datasets import VARIABLE, DataError
from shared.lab.sources import SOURCES


def write_planetoid(folder: Path, name: str = "tiny") -> None:
    """Write a planetoid data set of nine papers, of which number 7, in the middle of the test papers, is missing."""
    from scipy.sparse import csr_matrix

    rows = csr_matrix(np.arange(27, dtype=np.float32).reshape(9, 3) % 4)
    labels = np.eye(2, dtype=np.int64)[[0, 1, 0, 1, 0, 1, 0, 1, 0]]
    test = [8, 6]
    parts = {"x": rows[:2], "y": labels[:2], "allx": rows[:6], "ally": labels[:6], "tx": rows[test], "ty": labels[test]}
    graph = {0: [1, 1, 2], 1: [0], 2: [0, 2], 8: [0]}
    for part, value in {**parts, "graph": graph}.items():
        (folder / f"ind.{name}.{part}").write_bytes(pickle.dumps(value, protocol=2))
    (folder / f"ind.{name}.test.index").write_text("8\n6\n", encoding="utf-8")


def test_planetoid_files_are_read_and_put_in_order(tmp_path: Path, monkeypatch):
    write_planetoid(tmp_path)
    monkeypatch.setattr(planetoid, "VALIDATION", 3)
    data = planetoid.load_planetoid("tiny", tmp_path)
    assert data.graph.num_nodes == 9
    assert {*zip(*data.graph.edge_index.tolist(), strict=True)} == {(0, 1), (1, 0), (0, 2), (2, 0), (8, 0), (0, 8)}
    expected = torch.arange(27).reshape(9, 3) % 4 * 1.0
    expected[7] = 0
    torch.testing.assert_close(data.features.to_dense(), expected / expected.sum(1, keepdim=True).clamp(min=1))
    assert data.train_mask.nonzero().flatten().tolist() == [0, 1]
    assert data.val_mask.nonzero().flatten().tolist() == [2, 3, 4]
    assert data.test_mask.nonzero().flatten().tolist() == [6, 8], "7 has no label"


def test_what_is_no_planetoid_file_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no ind\.cora\.x.*--folder"):
        planetoid.load_planetoid("cora", tmp_path)
    for content in (b"", b"\x80\x04", b"words, not a pickle", pickle.dumps([1])[:-2], b"\0" * 100, b"\x80\x02]q\x01."):
        (tmp_path / "ind.cora.x").write_bytes(content)
        with pytest.raises(ValueError, match=r"ind\.cora\.x is (no pickle|not the part)"):
            planetoid.read_part(tmp_path / "ind.cora.x")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("x", [1, 2], r"ind.tiny.x is not the part"),
        ("allx", np.eye(3), r"ind.tiny.allx is not the part"),
        ("y", np.array([[1, 1], [0, 1]]), r"ind.tiny.y is not the part .*: labels must be rows with a 1 at most"),
        ("y", {0: [1]}, r"ind.tiny.y is not the part"),
        ("ty", np.eye(3, dtype=int), r"the files ind.tiny.\* in .* do not belong together"),
        ("graph", np.eye(3), r"ind.tiny.graph is not the part"),
        ("graph", {0: ["1"]}, r"ind.tiny.graph is not the part .*: neighbours must be numbers"),
        ("graph", {0: [9]}, r"ind.tiny.graph .* must join nodes from 0 to 8"),
        ("graph", {0: [-1]}, r"ind.tiny.graph .* must join nodes from 0 to 8"),
        ("test.index", "", r"ind.tiny.test.index must hold the number of a test node"),
        ("test.index", "8\nsix\n", r"ind.tiny.test.index must hold the number of a test node"),
        ("test.index", "8\n8\n", r"ind.tiny.test.index names a test node twice"),
        ("test.index", "8\n99999999\n", r"the files ind.tiny.\* in .* do not belong together"),
        ("test.index", "8\n3\n", r"the files ind.tiny.\* in .* do not belong together"),
    ],
)
def test_planetoid_files_of_another_type_are_refused(tmp_path: Path, file: str, content, message: str):
    write_planetoid(tmp_path)
    path = tmp_path / f"ind.tiny.{file}"
    path.write_bytes(content.encode() if isinstance(content, str) else pickle.dumps(content, protocol=2))
    with pytest.raises(ValueError, match=message):
        planetoid.load_planetoid("tiny", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.indices.__setitem__(0, -1), "columns must be from 0 to 2"),
        (lambda rows: rows.indices.__setitem__(0, 3), "columns must be from 0 to 2"),
        (lambda rows: rows.data.__setitem__(0, np.nan), "numbers must be finite"),
        (lambda rows: rows.indptr.__setitem__(1, 99), "the rows of a matrix of 2 must follow each other"),
        (lambda rows: rows.indptr.__setitem__(-1, 1), "the rows of a matrix of 2 must follow each other"),
    ],
)
def test_a_matrix_that_points_elsewhere_is_refused(tmp_path: Path, change, message: str):
    from scipy.sparse import csr_matrix

    rows = csr_matrix(np.array([[1.0, 2, 0], [0, 3, 4]]))
    change(rows)
    (tmp_path / "ind.tiny.x").write_bytes(pickle.dumps(rows, protocol=2))
    with pytest.raises(ValueError, match=f"ind.tiny.x is not the part .*: {message}"):
        planetoid.read_part(tmp_path / "ind.tiny.x")


@pytest.mark.parametrize("name", ["cora", "citeseer", "pubmed"])
def test_each_data_set_needs_its_own_files_alone(tmp_path: Path, monkeypatch, name: str):
    """Not those of Cora for all of them; and what is there is checked by its checksum."""
    asked = []
    monkeypatch.setattr(planetoid, "fetch", lambda source: asked.append(source) or tmp_path)
    write_planetoid(tmp_path, name)
    monkeypatch.setattr(planetoid, "VALIDATION", 3)
    assert planetoid.load_planetoid(name).graph.num_nodes == 9
    assert asked == [name]
    assert all(file.name.startswith(f"ind.{name}.") for file in SOURCES[name].files)
    assert SOURCES[name].folder == "planetoid"
    with pytest.raises(DataError, match=rf"ind\.{name}\.\w+ is corrupt"):
        planetoid.load_planetoid(name, tmp_path)


@pytest.mark.parametrize("name", ["ind.cora.x", "ind.cora.graph"])
def test_a_pickle_that_runs_something_is_refused_before_it_does(tmp_path: Path, name: str):
    target, path = tmp_path / "ran", tmp_path / name
    path.write_bytes(f"cposix\nsystem\n(S'touch {target}'\ntR.".encode())
    with pytest.raises(ValueError, match=f"{name} is no pickle of this data"):
        planetoid.read_part(path)
    assert not target.exists()


@pytest.fixture
def cora():
    try:
        return planetoid.load_planetoid("cora")
    except DataError:
        pytest.skip(f"Cora is not there: set {VARIABLE} to a folder that holds planetoid/")


def test_cora_is_cora(cora):
    assert (cora.graph.num_nodes, cora.graph.num_edges) == (2708, 10556)
    assert (cora.features.shape[1], cora.num_classes) == (1433, 7)
    assert [int(mask.sum()) for mask in (cora.train_mask, cora.val_mask, cora.test_mask)] == [140, 500, 1000]
    assert torch.bincount(cora.labels[cora.train_mask]).tolist() == [20] * 7
    assert not (cora.train_mask & cora.test_mask).any()
    torch.testing.assert_close(cora.features.to_dense().sum(1), torch.ones(2708))
