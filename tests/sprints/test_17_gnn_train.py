"""The train script for anyone's graph: its files, what is wrong with them, and its three tasks at a small size."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from shared.checks.sanity import check_gradients
from shared.graph.graphs import Graph
from shared.lab.run import run

FOLDER = "17_gnn"
NODES = """node,age,colour,label
a,1,red,yes
b,2,green,no
c,3,red,yes
d,4,blue,no
"""
EDGES = "source,target\na,b\nb,c\nc,d\n"
GRAPHS = {
    "nodes.csv": "node,graph,size\nx,one,1\ny,one,2\nx,two,3\ny,two,4\n",
    "edges.csv": "source,target,graph\nx,y,one\ny,x,two\n",
    "graphs.csv": "graph,label\ntwo,long\none,short\n",
}


@pytest.fixture
def script(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    return load_sprint(f"{FOLDER}/train.py")


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    """Return a module of the sprint's package."""
    return lambda name: load_sprint(f"{FOLDER}/graph_study/{name}.py")


@pytest.fixture
def tables(part) -> ModuleType:
    return part("graph_tables")


@pytest.fixture
def labels(part) -> ModuleType:
    return part("labels_and_splits")


@pytest.fixture
def training(part) -> ModuleType:
    return part("task_training")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


# Files


def test_a_folder_becomes_a_graph(tables, training, tmp_path):
    write(tmp_path, nodes=NODES, edges="source,target,weight\na,b,1\nb,c,0.5\nc,d,2\n")
    table = tables.read_graphs(tmp_path, of_graphs=False, directed=False)
    assert table.node_names == ["a", "b", "c", "d"]
    assert table.graph.edge_index.tolist() == [[0, 1, 2, 1, 2, 3], [1, 2, 3, 0, 1, 2]]
    assert table.graph.edge_weight.tolist() == [1, 0.5, 2, 1, 0.5, 2]
    assert table.numeric[:, 0].tolist() == [1, 2, 3, 4]
    assert table.one_hot.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]], "blue, green, red"
    scaled = training.scaled_features(table, torch.tensor([0, 2]))
    assert scaled[:, 0].tolist() == [-1, 0, 1, 2], "by the mean and deviation of the nodes that training may look at"
    directed = tables.read_graphs(tmp_path, of_graphs=False, directed=True)
    assert directed.graph.edge_index.tolist() == [[0, 1, 2], [1, 2, 3]]
    coded = tables.read_graphs(tmp_path, of_graphs=False, directed=True, categorical=["age"])
    assert coded.numeric.shape == (4, 0)
    assert coded.one_hot.shape == (4, 4 + 3)


def test_nodes_of_two_graphs_may_share_a_name(tables, tmp_path):
    write(tmp_path, **{name.removesuffix(".csv"): text for name, text in GRAPHS.items()})
    table = tables.read_graphs(tmp_path, of_graphs=True, directed=True)
    assert table.graph_names == ["two", "one"], "in the order of graphs.csv, as the labels are"
    assert table.graph.batch.tolist() == [1, 1, 0, 0]
    assert table.graph.edge_index.tolist() == [[0, 3], [1, 2]]


@pytest.mark.parametrize("name", ["karate", "motifs"])
def test_exported_data_is_what_is_built_in(script, part, tables, tmp_path, name: str):
    built_in = part("built_in_graphs")
    built_in.export(name, tmp_path)
    of_graphs = name == "motifs"
    table = tables.read_graphs(tmp_path, of_graphs=of_graphs, directed=False)
    loaded = script.load(script.Config(task="graph" if of_graphs else "node"))
    assert torch.equal(table.graph.edge_index, loaded.graph.edge_index)
    assert table.labelled == loaded.labelled
    if name == "karate":
        club = nx.karate_club_graph()
        assert {tuple(sorted(pair)) for pair in table.graph.edge_index.T.tolist()} == {
            tuple(sorted(e)) for e in club.edges
        }
        assert table.labelled.column("label").count("president") == 17
    for file, rows in built_in.BUILT_IN[name]().items():
        assert read(tmp_path / file) == rows
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(built_in.BUILT_IN[name]()), "and nothing else"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"edges": EDGES + "d,e\n"}, r"edges.csv:5: the target 'e' is no node of nodes.csv"),
        ({"edges": EDGES + "e,d\n"}, r"edges.csv:5: the source 'e' is no node"),
        ({"edges": EDGES + "b,a\n"}, r"edges.csv:5: 'b' and 'a' are joined in line 2 already"),
        ({"edges": EDGES + "a,a\n"}, r"edges.csv:5: 'a' is joined to itself"),
        ({"edges": EDGES + "a\n"}, r"edges.csv:5: a row must have 2 cells, got 1"),
        ({"edges": "source,target\n"}, r"edges.csv is empty"),
        ({"edges": "from,target\na,b\n"}, r"edges.csv:1: the column source is missing; there are from, target"),
        ({"edges": "source,target,kind\na,b,x\n"}, r"edges.csv:1: .*got 'kind'; may be there: source, target, weight"),
        ({"edges": "source,target,weight\na,b,-1\n"}, r"edges.csv:2: a weight must be from 0 to 3e\+38, got -1.0"),
        ({"edges": "source,target,weight\na,b,much\n"}, r"edges.csv:2: the column weight .* got 'much'"),
        ({"nodes": ""}, r"nodes.csv:1: the column node is missing; there are none"),
        ({"nodes": "node,age,colour,label\n"}, r"nodes.csv is empty"),
        ({"nodes": NODES + "a,5,red,no\n"}, r"nodes.csv:6: every node needs an id of its own in its graph, got 'a'"),
        ({"nodes": NODES + "e,nan,red,no\n"}, r"nodes.csv:6: the column age must hold finite numbers, got 'nan'"),
        ({"nodes": NODES + "e,,red,no\n"}, r"nodes.csv:6: the column age must hold finite numbers, got ''"),
        ({"nodes": NODES + "e,12A,red,no\n"}, r"nodes.csv:6: the column age .* got '12A'.* --categorical"),
        ({"nodes": NODES + "e,5,,no\n"}, r"nodes.csv:6: the column colour has no value, got ''"),
        ({"nodes": NODES + "e,5,NaN,no\n"}, r"nodes.csv:6: the column colour has no value, got 'NaN'"),
        ({"nodes": NODES + "e,5,N/A,no\n"}, r"nodes.csv:6: the column colour has no value, got 'N/A'"),
        ({"nodes": NODES + "e,5,-inf,no\n"}, r"nodes.csv:6: the column colour has no value, got '-inf'"),
        ({"nodes": NODES + "e,inf,red,no\n"}, r"nodes.csv:6: the column age must hold finite numbers, got 'inf'"),
        ({"nodes": NODES + "e,1e400,red,no\n"}, r"nodes.csv:6: the column age must hold finite numbers, got '1e400'"),
        ({"nodes": NODES + ",5,red,no\n"}, r"nodes.csv:6: every node needs an id, got none"),
        ({"nodes": NODES + 'e,5,"red,no\n'}, r"nodes.csv:6: unexpected end of data: correct its quotes"),
        ({"nodes": NODES + "e,5,red,no,more\n"}, r"nodes.csv:6: a row must have 4 cells, got 5"),
        ({"nodes": NODES.replace("colour", "age")}, r"nodes.csv:1: columns need names of their own .* got 'age'"),
        (
            {"nodes": NODES.replace(",", ";")},
            r"nodes.csv:1: the column node is missing; .*: part cells by commas, not by ';'",
        ),
        ({"edges": "source,target,weight\na,b,1e39\n"}, r"edges.csv:2: a weight must be from 0 to 3e\+38, got 1e\+39"),
        ({"edges": "source,target,weight\na,b,inf\n"}, r"edges.csv:2: the column weight .* got 'inf'"),
    ],
)
def test_wrong_files_are_refused_by_line_and_value(tables, tmp_path, changed, message: str):
    write(tmp_path, **({"nodes": NODES, "edges": EDGES} | changed))
    with pytest.raises(ValueError, match=message):
        tables.read_graphs(tmp_path, of_graphs=False, directed=False)


def test_a_file_that_is_no_text_is_refused(tables, tmp_path):
    write(tmp_path, nodes=NODES, edges=EDGES)
    (tmp_path / "nodes.csv").write_bytes(NODES.encode("utf-16"))
    with pytest.raises(ValueError, match=r"nodes.csv is no text in UTF-8 .*: save it as CSV UTF-8"):
        tables.read_graphs(tmp_path, of_graphs=False, directed=False)


def test_files_as_programs_write_them(tables, tmp_path):
    """A byte order mark, columns in another order, an id with a comma, lines of Windows, a blank one, a lonely node."""
    nodes = '\ufefflabel,node,age\r\nyes,"Ada, L.",1\r\n\r\nno,2,2\r\nno,NA,3\r\n'
    write(tmp_path, nodes=nodes, edges='\ufefftarget,source\r\n2,"Ada, L."\r\n')
    table = tables.read_graphs(tmp_path, of_graphs=False, directed=True)
    assert table.node_names == ["Ada, L.", "2", "NA"]
    assert table.graph.edge_index.tolist() == [[0], [1]]
    assert table.labelled.column("label") == ["yes", "no", "no"]


def test_words_without_end_are_refused_before_they_fill_the_memory(tables, tmp_path, monkeypatch):
    nodes = "node,colour,name\n" + "".join(f"{node},{node % 3},word {node}\n" for node in range(9))
    write(tmp_path, nodes=nodes, edges="source,target\n0,1\n")
    table = tables.read_graphs(tmp_path, of_graphs=False, directed=True, categorical=["colour"])
    assert table.one_hot.shape == (9, 12)
    assert (table.one_hot.sum(dim=1) == 2).all()
    monkeypatch.setattr(tables, "MOST_ONE_HOT_CELLS", 100)
    with pytest.raises(ValueError, match=r"12 different words for 9 nodes are 108 numbers, .* the column name out \(9"):
        tables.read_graphs(tmp_path, of_graphs=False, directed=True, categorical=["colour"])
    monkeypatch.setattr(tables, "MOST_VALUES", 8)
    with pytest.raises(ValueError, match=r"the column name holds 9 different words, .* at most 8 may be there"):
        tables.read_graphs(tmp_path, of_graphs=False, directed=True)


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("nodes.csv", "z,,1\n", r"nodes.csv:6: the graph '' has no label in graphs.csv"),
        ("graphs.csv", "three,long\n", r"graphs.csv:4: the graph 'three' is empty"),
        ("graphs.csv", "one,long\n", r"graphs.csv:4: the graph 'one' is there already"),
        ("nodes.csv", "x,three,1\n", r"nodes.csv:6: the graph 'three' has no label in graphs.csv"),
        ("edges.csv", "x,y,three\n", r"edges.csv:4: the source 'x' is no node"),
    ],
)
def test_graphs_and_their_labels_must_fit(tables, tmp_path, file: str, line: str, message: str):
    files = GRAPHS | {file: GRAPHS[file] + line}
    write(tmp_path, **{name.removesuffix(".csv"): text for name, text in files.items()})
    with pytest.raises(ValueError, match=message):
        tables.read_graphs(tmp_path, of_graphs=True, directed=False)


def test_what_is_not_there_is_named(script, part, tables, tmp_path):
    with pytest.raises(ValueError, match=r"there is no nodes.csv in .*: it needs the columns node"):
        script.load(script.Config(data=str(tmp_path)))
    with pytest.raises(ValueError, match="built-in data are karate, motifs; got 'cora'"):
        part("built_in_graphs").export("cora", tmp_path)
    write(tmp_path, nodes=NODES, edges="source,target,weight\na,b,1\n")
    with pytest.raises(ValueError, match="weights, which gcn alone uses"):
        script.load(script.Config(data=str(tmp_path), layer="gin"))
    with pytest.raises(ValueError, match=r"--categorical must name columns .* got 'label'"):
        tables.read_graphs(tmp_path, of_graphs=False, directed=False, categorical=["label"])


# Labels and splits


@pytest.fixture
def labelled(part) -> Callable[..., Any]:
    """Return what makes a table of nodes out of rows."""

    def make(rows: list[tuple[str, ...]], columns: tuple[str, ...] = ("node", "label", "split")) -> Any:
        cells = [dict(zip(columns, row, strict=True)) for row in rows]
        return part("csv_tables").Table("nodes.csv", list(columns), cells, list(range(2, len(rows) + 2)))

    return make


def test_labels_make_classes_or_numbers(labels, labelled):
    words = labelled([("a", "yes"), ("b", ""), ("c", "no")], ("node", "label"))
    read = labels.read_labels(words, "auto")
    assert (read.values.tolist(), read.classes, read.known) == ([1, -1, 0], ["no", "yes"], [0, 2])
    numbers = labelled([("a", "1.5"), ("b", "-2")], ("node", "label"))
    assert labels.read_labels(numbers, "auto").values.tolist() == [1.5, -2]
    assert labels.read_labels(numbers, "classification").classes == ["-2", "1.5"]
    slip = labelled([("a", "1.5"), ("b", "l.5")], ("node", "label"))
    with pytest.raises(ValueError, match=r"nodes.csv:3: the label 'l.5' is no number, others are: .* classification"):
        labels.read_labels(slip, "auto")
    assert labels.read_labels(slip, "classification").classes == ["1.5", "l.5"]
    for word in ("inf", "-Infinity", "1e999"):
        with pytest.raises(ValueError, match=rf"nodes.csv:3: the column label must hold finite numbers, got '{word}'"):
            labels.read_labels(labelled([("a", "1.5"), ("b", word)], ("node", "label")), "auto")
    with pytest.raises(ValueError, match=r"nodes.csv:2: the column label must hold finite numbers, got 'yes'"):
        labels.read_labels(words, "regression")
    with pytest.raises(ValueError, match="no row has a label"):
        labels.read_labels(labelled([("a", "")], ("node", "label")), "auto")
    with pytest.raises(ValueError, match="two classes must be there at least, got 'yes' alone"):
        labels.read_labels(labelled([("a", "yes")], ("node", "label")), "auto")
    with pytest.raises(ValueError, match=r"nodes.csv:1: the column label is missing; there are node"):
        labels.read_labels(labelled([("a",)], ("node",)), "auto")


@pytest.mark.parametrize("word", ["", "nan", "NA", "N/A", "null", "None", "NaN", "<NA>", "?", "-"])
def test_spellings_of_missing_make_no_class_and_leave_numbers_numbers(script, labels, labelled, capsys, word: str):
    numbers = labelled([("a", "1.5"), ("b", word), ("c", "2")], ("node", "label"))
    read = labels.read_labels(numbers, "auto")
    assert (read.classes, read.known, read.missing) == ([], [0, 2], {word: 1})
    words = labelled([("a", "yes"), ("b", word), ("c", "no"), ("d", word)], ("node", "label"))
    for kind in ("auto", "classification"):
        read = labels.read_labels(words, kind)
        assert (read.classes, read.values.tolist(), read.missing) == (["no", "yes"], [1, -1, 0, -1], {word: 2})
    script.say_what_is_missing(words, read)
    assert capsys.readouterr().out == f"nodes.csv: 2 of 4 rows have no label ({word or 'empty'} 2 times)\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("d", "yes", "dev")], r"nodes.csv:6: split must be one of train, validation, test; got 'dev'"),
        ([("d", "", "train")], r"nodes.csv:6: a row needs label and split or neither"),
        ([("d", "maybe", "test")], r"nodes.csv:6: the class 'maybe' has no example to train on"),
    ],
)
def test_wrong_splits_are_refused(labels, labelled, generator, rows, message: str):
    good = [("a", "yes", "train"), ("b", "no", "train"), ("c", "no", "validation"), ("t", "no", "test")]
    table = labelled(good)
    splits = labels.read_splits(table, labels.read_labels(table, "auto"), generator)
    assert {name: places.tolist() for name, places in splits.items()} == {
        "train": [0, 1], "validation": [2], "test": [3]
    }  # fmt: skip
    table = labelled(good + rows)
    with pytest.raises(ValueError, match=message):
        labels.read_splits(table, labels.read_labels(table, "auto"), generator)
    table = labelled(good[:3])
    with pytest.raises(ValueError, match="the split test needs 1 rows or more, got 0"):
        labels.read_splits(table, labels.read_labels(table, "auto"), generator)
    rows = [(str(row), str(row % 2), word) for row, word in enumerate(["train", "train", "validation", "validation"])]
    table = labelled([*rows, ("t", "7", "test"), ("u", "7", "test")])
    with pytest.raises(ValueError, match="all labels of the split test are 7: numbers that do not differ"):
        labels.read_splits(table, labels.read_labels(table, "auto"), generator)


def test_drawn_splits_part_classes_evenly_and_keep_graphs_whole(labels, labelled, generator):
    rows = [(str(place), ("yes", "no")[place % 5 == 0]) for place in range(50)]
    table = labelled(rows, ("node", "label"))
    read = labels.read_labels(table, "auto")
    splits = labels.read_splits(table, read, generator)
    assert {name: len(places) for name, places in splits.items()} == {"train": 30, "validation": 10, "test": 10}
    assert (read.values[splits["train"]] == 0).sum() == 6, "a fifth, as everywhere"
    assert sorted(torch.cat(list(splits.values())).tolist()) == list(range(50))
    table = labelled([(*row, str(place // 5)) for place, row in enumerate(rows)], ("node", "label", "graph"))
    splits = labels.read_splits(table, labels.read_labels(table, "auto"), generator)
    for places in splits.values():
        assert len(places) % 5 == 0
        assert (torch.bincount(places // 5) % 5 == 0).all(), "whole graphs"


# Tasks


def test_numbers_are_encoded_and_decided_in_their_unit(part, labels, labelled):
    table = labelled([(str(node), str(value)) for node, value in enumerate((0, 9, 9, 9, 4, 9))], ("node", "label"))
    train = torch.tensor([0, 4])
    objective = part("objectives").Objective(labels.read_labels(table, "auto"), train)
    torch.testing.assert_close(objective.encode(train), torch.tensor([[-1.0], [1.0]]))
    torch.testing.assert_close(objective.decide(objective.encode(train)), torch.tensor([0.0, 4.0]).double())
    assert objective.score_constant(torch.tensor([0, 4]))["mean"] == {"R2": 0.0, "MAE": 2.0}
    words = labelled([("a", "yes"), ("b", "no"), ("c", "no")], ("node", "label"))
    objective = part("objectives").Objective(labels.read_labels(words, "auto"), torch.tensor([0, 1, 2]))
    assert objective.encode(torch.tensor([0, 1])).tolist() == [[0, 1], [1, 0]]
    assert objective.decide(objective.encode(torch.tensor([0, 1]))).tolist() == [1, 0]
    assert objective.as_text(torch.tensor(1)) == "yes"
    assert objective.score_constant(torch.tensor([0, 1])) == {"most frequent class": {"accuracy": 0.5}}


def test_neighbour_scores_are_those_of_networkx(part):
    club = nx.karate_club_graph()
    pairs = torch.combinations(torch.arange(34))[::7]
    scores = part("edge_task").neighbour_scores(Graph.undirected(list(club.edges), 34), pairs)
    adamic = [score for *_, score in nx.adamic_adar_index(club, [tuple(pair) for pair in pairs.tolist()])]
    np.testing.assert_allclose(scores["Adamic-Adar"], adamic)
    products = [score for *_, score in nx.preferential_attachment(club, [tuple(pair) for pair in pairs.tolist()])]
    np.testing.assert_allclose(scores["product of degrees"], products)
    common = [len(list(nx.common_neighbors(club, *pair))) for pair in pairs.tolist()]
    np.testing.assert_allclose(scores["common neighbours"], common)


def test_pairs_are_drawn_without_edges_and_hidden_edges_carry_no_message(script, part, monkeypatch, generator):
    tasks = part("edge_task")
    taken = {(0, 1), (1, 2), (0, 3)}
    drawn = tasks.draw_unjoined(taken, 4, 3, generator, directed=False).tolist()
    assert sorted(drawn) == [[0, 2], [1, 3], [2, 3]]
    with pytest.raises(ValueError, match="4 pairs without an edge are needed, 3 are there"):
        tasks.draw_unjoined(taken, 4, 4, generator, directed=False)
    seen = []
    original = tasks.LinkScorer.forward
    monkeypatch.setattr(
        tasks.LinkScorer,
        "forward",
        lambda self, x, graph, pairs: (seen.append(graph), original(self, x, graph, pairs))[1],
    )
    config = script.Config(task="edge", steps=2, width=8, device="cpu")
    result = script.train_and_score(config, script.load(config), 0)
    hidden = {(int(one[7:]), int(other[7:])) for one, other, edge, _ in result.predictions[1:] if edge}
    assert len(hidden) == 16
    along = {pair for graph in seen for pair in map(tuple, graph.edge_index.T.tolist())}
    assert len(along) == 2 * 55, "70 % of 78, in both directions"
    assert not {tuple(sorted(pair)) for pair in along} & hidden


def test_classes_of_nodes_are_learnt_from_neighbours(script, tmp_path):
    config = script.Config(steps=60, seeds=(0, 1), device="cpu", out=tmp_path)
    results = script.main(config)
    means = {name: measures["accuracy"].mean[0] for name, measures in results.scores.items()}
    assert means["gcn"] >= 0.8 > means["same, without edges"]
    assert means["label propagation"] >= 0.8
    assert means["most frequent class"] < 0.6
    rows = read(tmp_path / "predictions.csv")
    assert rows[0] == ["node", "graph", "split", "prediction"]
    assert len(rows) == 35
    assert {row[3] for row in rows[1:]} == {"instructor", "president"}
    assert len(script.plot(results).axes) == 1
    assert script.main(config) == results, "same seed, same results"


@pytest.mark.parametrize("layer", ["gcn", "sage", "gin", "gat"])
def test_every_layer_and_task_moves_every_parameter(training, layer: str):
    plan = training.TrainingPlan(layer, 2, 8, 0.0, 1, 8, 1e-2, torch.device("cpu"))
    graph = Graph.undirected([(0, 1), (1, 2), (3, 4)], 5)
    graph = Graph(graph.edge_index, 5, None, torch.tensor([0, 0, 0, 1, 1]), 2)
    torch.manual_seed(0)
    features = torch.randn(5, 3)
    for of_graphs in (False, True):
        model = training.make_network(plan, 3, 2, of_graphs=of_graphs)
        # In training a bias before a norm has no effect; with the constants of `eval` it has.
        for norm in model.norms:
            norm.momentum = 1.0
        model(features, graph)
        answers = model.eval()(features, graph)
        assert answers.shape == (2 if of_graphs else 5, 2)
        check_gradients(model, answers.square().sum())


def test_numbers_of_nodes_and_directions(script, tmp_path):
    """A node's label is what stands at its source: messages along the edges tell it, those against them do not."""
    draw = np.random.default_rng(0)
    value = draw.normal(size=120)
    source = [int(draw.integers(120)) for _ in range(120)]
    source = [(node + 1) % 120 if one == node else one for node, one in enumerate(source)]
    rows = [f"n{node},{value[node]:.4f},{value[source[node]]:.4f}" for node in range(120)]
    edges = [f"n{one},n{node}" for node, one in enumerate(source)]
    write(tmp_path, nodes="node,x,label\n" + "\n".join(rows), edges="source,target\n" + "\n".join(edges))
    config = script.Config(
        data=str(tmp_path), layer="sage", directed=True, layers=1, steps=200, dropout=0.0, seeds=(0,), device="cpu"
    )
    config = replace(config, learning_rate=2e-2, out=tmp_path)
    scores = script.main(config).scores
    assert scores["sage"]["R2"].test[0] > 0.9
    assert scores["same, without edges"]["R2"].test[0] < 0.3
    assert scores["sage"]["MAE"].test[0] < 0.5 * scores["mean"]["MAE"].test[0]


def test_graphs_are_told_apart_where_degrees_do_not_help(script, tmp_path):
    config = script.Config(task="graph", layer="gin", steps=60, seeds=(0,), device="cpu", dropout=0.0, out=tmp_path)
    scores = {name: measures["accuracy"].test[0] for name, measures in script.main(config).scores.items()}
    assert scores["gin"] > 0.9
    assert scores["same, without edges"] == scores["most frequent class"] == 0.5
    assert scores["linear, degrees and features"] == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ValueError, match="link prediction is for one graph"):
        script.train_and_score(replace(config, task="edge"), script.load(config), 0)


def test_what_is_wrong_ends_the_program_with_a_sentence_and_leaves_nothing(script, tmp_path, capsys, monkeypatch):
    write(tmp_path, nodes=NODES, edges=EDGES + "d,e\n")
    words = f"train.py --data {tmp_path} --out {tmp_path / 'out'}"
    monkeypatch.setattr("sys.argv", words.split())
    with pytest.raises(SystemExit) as stopped:
        run(script.main, script.Config)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == ("error: edges.csv:5: the target 'e' is no node of nodes.csv: add it there\n")
    assert not (tmp_path / "out").exists(), "nothing is written"


def test_exporting_writes_files_and_stops(script, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        script.main(script.Config(task="graph", export=tmp_path / "my_graph", out=tmp_path / "out"))
    assert not stopped.value.code
    assert sorted(path.name for path in (tmp_path / "my_graph").iterdir()) == ["edges.csv", "graphs.csv", "nodes.csv"]
    assert "my_graph" in capsys.readouterr().out
    assert not (tmp_path / "out").exists(), "nothing else is written"
