"""Graphs whose edges have features too, from CSV files, and a drawn one in which the kinds of edges matter.

    edges.csv    source,target[,features ...]
    nodes.csv    node[,features ...][,label][,split]

Theory: notes/14_nodes_that_come_later.md
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from graph_study.csv_tables import Table, read_table, write_csv
from shared.graph.graphs import Graph

NODE_RESERVED, EDGE_RESERVED = ("node", "label", "split"), ("source", "target")


@dataclass(frozen=True)
class EdgeTable:
    """A graph, the tables it was read from, and which line of edges.csv each edge of the graph has."""

    graph: Graph
    nodes: Table
    edges: Table
    line_of: Tensor  # (num_edges): an undirected edge is there twice and has one line


def read_folder(folder: Path) -> EdgeTable:
    """Read nodes.csv and edges.csv of a folder; each edge counts in both directions.

    Raises:
        ValueError: whatever is wrong in a file, by file, line and value.
    """
    nodes = read_table(folder / "nodes.csv", ["node"])
    edges = read_table(folder / "edges.csv", ["source", "target"])
    index: dict[str, int] = {}
    for row, name in enumerate(nodes.column("node")):
        if not name or name in index:
            raise ValueError(f"{nodes.at(row)}: every node needs an id of its own, got {name!r}")
        index[name] = row
    pairs: dict[tuple[int, int], int] = {}
    for row, cells in enumerate(edges.rows):
        for end in EDGE_RESERVED:
            if cells[end] not in index:
                raise ValueError(f"{edges.at(row)}: the {end} {cells[end]!r} is no node of nodes.csv: add it there")
        one, other = sorted((index[cells["source"]], index[cells["target"]]))
        if one == other or (one, other) in pairs:
            raise ValueError(
                f"{edges.at(row)}: {cells['source']!r} and {cells['target']!r} must be two nodes that no earlier line "
                "joins: list a pair once"
            )
        pairs[one, other] = row
    lines = torch.tensor(list(pairs.values()))
    graph = Graph.undirected(list(pairs), len(index))
    return EdgeTable(graph, nodes, edges, torch.cat([lines, lines]))


def without_nodes(table: EdgeTable, hidden: Tensor) -> Tensor:
    """Return the places of all edges that have no end among some nodes: (edges that are left).

    Args:
        table: the graph.
        hidden: (hidden), the numbers of the nodes that are not there yet.
    """
    is_hidden = torch.zeros(table.graph.num_nodes, dtype=torch.bool)
    is_hidden[hidden] = True
    return (~is_hidden[table.graph.edge_index].any(dim=0)).nonzero()[:, 0]


def export_alliances(folder: Path, num_nodes: int = 1500) -> Path:
    """Write a drawn graph: two camps, a noisy feature, and edges of two kinds. A quarter of the nodes comes later.

    Edges of the kind "with" mostly join nodes of one camp, those "against" mostly nodes of two. There are as many of
    one kind as of the other, so that who is joined with whom says nothing unless one hears how.
    """
    generator = torch.Generator().manual_seed(0)
    camps = torch.randint(2, (num_nodes,), generator=generator)
    noisy = camps * 2.0 - 1 + 2 * torch.randn(num_nodes, generator=generator)
    drawn = torch.rand(num_nodes, generator=generator)
    edges, seen = [["source", "target", "kind"]], set()
    while len(edges) <= 3 * num_nodes:
        one, other = sorted(torch.randint(num_nodes, (2,), generator=generator).tolist())
        kind = ("with", "against")[int(torch.randint(2, (), generator=generator))]
        fits = (camps[one] == camps[other]) == (kind == "with")
        kept = torch.rand((), generator=generator) < (0.9 if fits else 0.1)
        if one != other and (one, other) not in seen and kept:
            seen.add((one, other))
            edges.append([f"n{one}", f"n{other}", kind])
    rows = []
    for node in range(num_nodes):
        split = "train" if drawn[node] < 0.3 else "validation" if drawn[node] < 0.45 else "test"
        label = ("red", "blue")[int(camps[node])]
        rows.append([f"n{node}", f"{noisy[node]:.4f}", label, "" if 0.45 <= drawn[node] < 0.75 else split])
    rows = [[*row[:2], row[2] if row[3] else "", row[3]] for row in rows]
    write_csv(folder / "nodes.csv", [["node", "signal", "label", "split"], *rows])
    write_csv(folder / "edges.csv", edges)
    return folder
