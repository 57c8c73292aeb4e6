"""Graphs in CSV files: edges.csv, nodes.csv and, where each graph has a label, graphs.csv. Read and checked.

    edges.csv    source,target[,weight][,graph]
    nodes.csv    node[,features ...][,label][,split][,graph]
    graphs.csv   graph,label[,split]

Theory: notes/13_your_own_graph.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from graph_study.csv_tables import Table, is_missing, is_number, read_number, read_table, reads_as_number
from shared.graph.graphs import Graph

RESERVED = ("node", "label", "split", "graph")
# A column for each word is a table of words by nodes: above these it is too large to be of use.
MOST_VALUES, MOST_ONE_HOT_CELLS = 2000, 50_000_000
MOST_WEIGHT = torch.finfo(torch.float32).max


@dataclass(frozen=True)
class GraphTable:
    """Graphs side by side as one, their features, and what is known of nodes or of graphs."""

    graph: Graph
    pairs: list[tuple[int, int]]  # the edges as they are listed, an undirected one once
    # The names of nodes, and of the graph of each; "" where there is one graph alone.
    node_names: list[str]
    graph_names: list[str]
    numeric: Tensor  # (num_nodes, numeric columns), as they stand in the file, in double precision
    one_hot: Tensor  # (num_nodes, values of all other columns)
    # The table whose rows are labelled: of nodes, or of graphs for a task of graphs.
    labelled: Table


def read_graphs(folder: Path, *, of_graphs: bool, directed: bool, categorical: Sequence[str] = ()) -> GraphTable:
    """Read the files of a folder.

    Args:
        folder: where they are.
        of_graphs: whether graphs have labels, in graphs.csv, instead of nodes.
        directed: whether messages go from source to target alone.
        categorical: columns of nodes.csv whose values are names although they may look like numbers.

    Raises:
        ValueError: whatever is wrong in a file, by file, line and value.
    """
    nodes = read_table(folder / "nodes.csv", ["node", "graph"] if of_graphs else ["node"])
    several = "graph" in nodes.columns
    for name in categorical:
        if name not in nodes.columns or name in RESERVED:
            raise ValueError(f"--categorical must name columns of features in nodes.csv, got {name!r}")
    graph_names = list(dict.fromkeys(nodes.column("graph"))) if several else [""]
    labelled = nodes
    if of_graphs:
        labelled = read_table(folder / "graphs.csv", ["graph", "label"], ["graph", "label", "split"])
        _check_same_graphs(labelled, nodes)
        graph_names = labelled.column("graph")
    numbers, names = {name: number for number, name in enumerate(graph_names)}, nodes.column("node")
    batch = [numbers[name] for name in nodes.column("graph")] if several else [0] * len(names)
    index = _node_index(nodes, graph_names, batch)
    wanted = ["source", "target", *(["graph"] if several else [])]
    pairs, weights = _read_edges(read_table(folder / "edges.csv", wanted, [*wanted, "weight"]), index, directed)
    columns = torch.tensor(pairs).T
    graph = Graph(columns, len(names), weights) if directed else Graph.undirected(columns.T, len(names), weights)
    graph = Graph(graph.edge_index, graph.num_nodes, graph.edge_weight, torch.tensor(batch), len(graph_names))
    numeric, one_hot = _read_features(nodes, categorical, of_graphs)
    return GraphTable(graph, pairs, names, graph_names, numeric, one_hot, labelled)


def _check_same_graphs(graphs: Table, nodes: Table) -> None:
    """Refuse a graph that is twice there, that has no node, or whose nodes alone are there."""
    names: set[str] = set()
    used = set(nodes.column("graph"))
    for row, name in enumerate(graphs.column("graph")):
        if name in names:
            raise ValueError(f"{graphs.at(row)}: the graph {name!r} is there already")
        if name not in used:
            raise ValueError(f"{graphs.at(row)}: the graph {name!r} is empty: it has no node in nodes.csv")
        names.add(name)
    for row, name in enumerate(nodes.column("graph")):
        if name not in names:
            raise ValueError(f"{nodes.at(row)}: the graph {name!r} has no label in graphs.csv")


def _node_index(nodes: Table, graph_names: list[str], batch: list[int]) -> dict[tuple[str, str], int]:
    """Return the number of each node by the names of graph and node."""
    index: dict[tuple[str, str], int] = {}
    several = "graph" in nodes.columns
    for row, name in enumerate(nodes.column("node")):
        key = (graph_names[batch[row]], name)
        if not name or (several and not key[0]):
            raise ValueError(f"{nodes.at(row)}: every node needs an id{' and a graph' if several else ''}, got none")
        if key in index:
            raise ValueError(f"{nodes.at(row)}: every node needs an id of its own in its graph, got {name!r} again")
        index[key] = row
    return index


def _read_edges(
    table: Table, index: dict[tuple[str, str], int], directed: bool
) -> tuple[list[tuple[int, int]], Tensor | None]:
    """Return edges as pairs of numbers of nodes, and what they weigh."""
    line_of: dict[tuple[int, int], int] = {}
    for row, cells in enumerate(table.rows):
        for end in ("source", "target"):
            if (cells.get("graph", ""), cells[end]) not in index:
                raise ValueError(f"{table.at(row)}: the {end} {cells[end]!r} is no node of nodes.csv: add it there")
        source, target = (index[cells.get("graph", ""), cells[end]] for end in ("source", "target"))
        if source == target:
            raise ValueError(f"{table.at(row)}: {cells['source']!r} is joined to itself: leave it out, layers do that")
        if (source, target) in line_of or (not directed and (target, source) in line_of):
            first = line_of.get((source, target), line_of.get((target, source)))
            raise ValueError(
                f"{table.at(row)}: {cells['source']!r} and {cells['target']!r} are joined in line {first} already: "
                "list a pair once, or use --directed if its two directions differ"
            )
        line_of[source, target] = table.lines[row]
    if "weight" not in table.columns:
        return list(line_of), None
    weights = [read_number(text, table.at(row), "weight") for row, text in enumerate(table.column("weight"))]
    for row, weight in enumerate(weights):
        if not 0 <= weight <= MOST_WEIGHT:
            raise ValueError(f"{table.at(row)}: a weight must be from 0 to {MOST_WEIGHT:.0e}, got {weight}")
    return list(line_of), torch.tensor(weights)


def _read_features(nodes: Table, categorical: Sequence[str], of_graphs: bool) -> tuple[Tensor, Tensor]:
    """Return numeric columns, and the one-hot values of all others.

    Without a column of features, nodes of one graph get a one-hot number of their own, those of several graphs a 1.
    """
    num_nodes, numeric = len(nodes.rows), []
    values_of: dict[str, list[str]] = {}
    for name in nodes.columns:
        if name in RESERVED:
            continue
        cells = nodes.column(name)
        if name not in categorical and any(is_number(cell) for cell in cells):
            numeric.append([read_number(cell, nodes.at(row), name) for row, cell in enumerate(cells)])
        else:
            values_of[name] = _different_words(nodes, name)
    numbers = torch.tensor(numeric, dtype=torch.double).reshape(-1, num_nodes).T
    if numeric or values_of:
        return numbers, _one_hot(nodes, values_of)
    if of_graphs or "graph" in nodes.columns:
        return numbers, torch.ones(num_nodes, 1)
    if num_nodes > MOST_VALUES:
        raise ValueError(
            f"nodes.csv has no column of features: above {MOST_VALUES} nodes it needs one, {num_nodes} are there"
        )
    return numbers, torch.eye(num_nodes)


def _different_words(nodes: Table, name: str) -> list[str]:
    """Return what stands in a column of words, in order, each word once."""
    for row, cell in enumerate(nodes.column(name)):
        if is_missing(cell) or (reads_as_number(cell) and not is_number(cell)):
            raise ValueError(f"{nodes.at(row)}: the column {name} has no value, got {cell!r}: fill it in")
    words = sorted(set(nodes.column(name)))
    if len(words) > MOST_VALUES:
        raise ValueError(
            f"nodes.csv: the column {name} holds {len(words)} different words, and each would be a feature: at most "
            f"{MOST_VALUES} may be there. Leave names and texts out, or write kinds of them"
        )
    return words


def _one_hot(nodes: Table, words_of: dict[str, list[str]]) -> Tensor:
    """Return a column for each word of each column of words: (num_nodes, words)."""
    num_nodes, width = len(nodes.rows), sum(map(len, words_of.values()))
    if num_nodes * width > MOST_ONE_HOT_CELLS:
        largest = max(words_of, key=lambda name: len(words_of[name]))
        raise ValueError(
            f"nodes.csv: {width} different words for {num_nodes} nodes are {num_nodes * width:,} numbers, more than "
            f"{MOST_ONE_HOT_CELLS:,}: leave the column {largest} out ({len(words_of[largest])} words), or write kinds"
        )
    table, first = torch.zeros(num_nodes, width), 0
    for name, words in words_of.items():
        place = {word: first + number for number, word in enumerate(words)}
        table[torch.arange(num_nodes), torch.tensor([place[cell] for cell in nodes.column(name)])] = 1.0
        first += len(words)
    return table
