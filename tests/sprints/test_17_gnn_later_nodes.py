"""Nodes that come later: sampled neighbours, edges with features, and a model that is kept."""

import csv
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from shared.graph.graphs import Graph
from shared.graph.neighbour_sampling import NeighbourSampler
from shared.training.sealed import save_sealed

FOLDER = "17_gnn"


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    return lambda name: load_sprint(f"{FOLDER}/graph_study/{name}.py")


@pytest.fixture
def script(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    return load_sprint(f"{FOLDER}/later_nodes.py")


def write(folder: Path, nodes: str, edges: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nodes.csv").write_text(nodes, encoding="utf-8")
    (folder / "edges.csv").write_text(edges, encoding="utf-8")
    return folder


# Sampling


def test_a_part_with_all_neighbours_gives_the_answers_of_the_whole_graph(part):
    network = part("later_nodes_network").LaterNodesNetwork(3, 2, 2, width=8, layers=2).double()
    generator = torch.Generator().manual_seed(0)
    pairs = torch.randint(40, (120, 2), generator=generator)
    graph = Graph.undirected(pairs[pairs[:, 0] != pairs[:, 1]].unique(dim=0), 40)
    features, edges = torch.randn(40, 3).double(), torch.randn(graph.num_edges, 2).double()
    asked = torch.tensor([3, 17, 8])
    drawn = NeighbourSampler(graph).draw(asked, (100, 100), generator)
    assert drawn.nodes[:3].tolist() == asked.tolist()
    found = network(features[drawn.nodes], drawn.graph, edges[drawn.edges])[:3]
    torch.testing.assert_close(found, network(features, graph, edges)[asked])


def test_the_mean_over_drawn_neighbours_is_right_on_average():
    held = torch.tensor([2.0, 4, 9])
    means = [held[list(pair)].mean().item() for pair in ((0, 1), (0, 2), (1, 2))]
    assert means == [3, 5.5, 6.5]
    assert sum(means) / 3 == held.mean().item() == 5


# Files and columns


def test_new_files_are_scaled_as_the_old_ones_were(part, tmp_path: Path):
    columns, tables = part("table_columns"), part("csv_tables")
    write(tmp_path / "old", "node,size,kind\na,1700000000,x\nb,1700000060,y\n", "source,target\na,b\n")
    write(tmp_path / "new", "node,size,kind\nc,1700000120,y\n", "source,target\nc,c\n")
    old, new = (tables.read_table(tmp_path / name / "nodes.csv", ["node"]) for name in ("old", "new"))
    found = columns.TableColumns.of(old, ("node",), [0, 1])
    assert found.features(old).tolist() == [[-1, 1, 0], [1, 0, 1]]
    kept = columns.TableColumns.restore(found.plain())
    assert kept.features(new).tolist() == [[3, 0, 1]]
    write(tmp_path / "odd", "node,size,kind\nd,1700000000,z\n", "source,target\nd,d\n")
    with pytest.raises(ValueError, match=r"nodes\.csv:2: the column kind has 'z', which was not there in training"):
        kept.features(tables.read_table(tmp_path / "odd" / "nodes.csv", ["node"]))


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ("source,target\na,c\n", r"edges\.csv:2: the target 'c' is no node"),
        ("source,target\na,b\nb,a\n", r"edges\.csv:3: 'b' and 'a' must be two nodes that no earlier line joins"),
        ("source,target\na,a\n", r"edges\.csv:2: 'a' and 'a' must be two nodes"),
    ],
)
def test_edges_that_do_not_fit_are_refused(part, tmp_path: Path, edges: str, message: str):
    with pytest.raises(ValueError, match=message):
        part("later_nodes_data").read_folder(write(tmp_path, "node,x\na,1\nb,2\n", edges))


def test_hidden_nodes_lose_all_their_edges(part, tmp_path: Path):
    data = part("later_nodes_data")
    table = data.read_folder(write(tmp_path, "node,x\na,1\nb,2\nc,3\n", "source,target,kind\na,b,k\nb,c,l\n"))
    left = data.without_nodes(table, torch.tensor([2]))
    assert {tuple(pair) for pair in table.graph.edge_index[:, left].T.tolist()} == {(0, 1), (1, 0)}
    assert table.line_of.tolist() == [0, 1, 0, 1]


# The script


def test_kinds_of_edges_tell_the_camps_and_a_kept_model_says_the_same(script, part, tmp_path: Path):
    folder = part("later_nodes_data").export_alliances(tmp_path / "data", num_nodes=500)
    config = script.Config(data=folder, steps=60, seeds=(0,), device="cpu", out=tmp_path / "run")
    results = script.main(config)
    hears, deaf, alone = (results.scores[arm].mean[0] for arm in script.ARMS)
    assert hears > 0.75 > deaf
    assert hears > alone
    assert results.nodes_read < 500
    assert script.main(config) == results, "same seed, same results"
    again = script.Config(data=folder, model=tmp_path / "run" / "model.pt", out=tmp_path / "said")
    with pytest.raises(SystemExit):
        script.main(again)
    with (tmp_path / "said" / "predictions.csv").open(newline="", encoding="utf-8") as file:
        said = {row["node"]: row["prediction"] for row in csv.DictReader(file)}
    with (folder / "nodes.csv").open(newline="", encoding="utf-8") as file:
        true = {row["node"]: row["label"] for row in csv.DictReader(file) if row["split"] == "test"}
    assert sum(said[node] == label for node, label in true.items()) / len(true) == pytest.approx(hears)


def test_a_file_that_is_no_model_is_refused_and_runs_nothing(part, tmp_path: Path):
    target, path = tmp_path / "ran", tmp_path / "model.pt"

    class Attack:
        def __reduce__(self):
            return Path.touch, (target,)

    load = part("later_nodes_network").KeptModel.load
    for content in (b"", b"words", pickle.dumps(Attack())):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"model\.pt"):
            load(path)
    torch.save({"weights": {}, "nodes": Attack()}, path)
    with pytest.raises(ValueError, match=r"model\.pt"):
        load(path)
    save_sealed({"weights": {}}, path)
    with pytest.raises(ValueError, match=r"model\.pt is no model that later_nodes\.py has kept"):
        load(path)
    assert not target.exists()


def test_nodes_without_features_are_refused(script, tmp_path: Path):
    names = [f"n{node},{('red', 'blue')[node % 2]}" for node in range(12)]
    folder = write(tmp_path / "data", "node,label\n" + "\n".join(names), "source,target\nn0,n1\nn2,n3\n")
    with pytest.raises(ValueError, match="needs a column of features"):
        script.main(script.Config(data=folder, steps=1, seeds=(0,), out=tmp_path / "run"))
