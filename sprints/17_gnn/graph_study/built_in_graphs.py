"""Data that is built in, as the CSV files that anyone may bring: the karate club, and trees with motifs."""

from pathlib import Path

import networkx as nx
import torch

from graph_study.csv_tables import write_csv
from shared.graph.motif_graphs import motifs_in_trees

Files = dict[str, list[list[str]]]  # rows of cells by the name of a file


def karate_files() -> Files:
    """Return Zachary's karate club: the faction that each member joined, and who met whom."""
    club = nx.karate_club_graph()
    factions = {"Mr. Hi": "instructor", "Officer": "president"}
    return {
        "nodes.csv": [["node", "label"], *[[f"member {node}", factions[club.nodes[node]["club"]]] for node in club]],
        "edges.csv": [
            ["source", "target"],
            *[[f"member {source}", f"member {target}"] for source, target in club.edges],
        ],
    }


def motif_files(pairs: int = 120) -> Files:
    """Return random trees with a hexagon or two triangles joined at one node: twins of equal degrees."""
    task, generator = "hexagon or two triangles, joined at one node", torch.Generator().manual_seed(0)
    graphs, labels = motifs_in_trees(task, pairs, generator)
    nodes, edges = [["node", "graph"]], [["source", "target", "graph"]]
    for number, graph in enumerate(graphs):
        nodes += [[str(node), f"g{number}"] for node in range(graph.num_nodes)]
        pairs_once = [pair for pair in graph.edge_index.T.tolist() if pair[0] < pair[1]]
        edges += [[str(source), str(target), f"g{number}"] for source, target in pairs_once]
    # Twins stay in one split.
    words = ["train", "train", "train", "validation", "test"]
    rows = [
        [f"g{number}", ("hexagon", "triangles")[label], words[number // 2 % 5]] for number, label in enumerate(labels)
    ]
    return {"nodes.csv": nodes, "edges.csv": edges, "graphs.csv": [["graph", "label", "split"], *rows]}


BUILT_IN = {"karate": karate_files, "motifs": motif_files}


def export(name: str, folder: Path) -> Path:
    """Write built-in data as CSV files, and return the folder.

    Raises:
        ValueError: an unknown name.
    """
    if name not in BUILT_IN:
        raise ValueError(f"built-in data are {', '.join(BUILT_IN)}; got {name!r}")
    for file, rows in BUILT_IN[name]().items():
        write_csv(folder / file, rows)
    return folder
