"""Graphs in CSV files: edges.csv, nodes.csv and, where each graph has a label, graphs.csv. Read, checked, written.

    edges.csv    source,target[,weight][,graph]
    nodes.csv    node[,features ...][,label][,split][,graph]
    graphs.csv   graph,label[,split]

Whatever is wrong in a file is a ValueError that names file, line and value. Theory: notes/08_your_own_graph.md
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from graph_study.motif_graphs import motifs_in_trees
from shared.graph.graphs import Graph
from shared.lab.files import replacing

SPLITS = ("train", "validation", "test")
RESERVED = ("node", "label", "split", "graph")
MOST_ONE_HOT_NODES = 2000


@dataclass(frozen=True)
class Table:
    """The rows of a file, and the line each stands in."""

    name: str
    columns: list[str]
    rows: list[dict[str, str]]
    lines: list[int]

    def at(self, place: int) -> str:
        """Return where a row stands, for an error."""
        return f"{self.name}:{self.lines[place]}"

    def column(self, name: str) -> list[str]:
        return [row[name] for row in self.rows]


@dataclass(frozen=True)
class GraphTable:
    """Graphs side by side as one, their features, and what is known of nodes or of graphs."""

    graph: Graph
    edges: list[tuple[int, int]]
    # The names of nodes, and of the graph of each; "" where there is one graph alone.
    nodes: list[str]
    graph_names: list[str]
    numeric: Tensor  # (nodes, numeric columns), as they stand in the file
    one_hot: Tensor  # (nodes, values of all other columns)
    # The table whose rows are labelled: of nodes, or of graphs for a task of graphs.
    labelled: Table


def read_table(path: Path, required: Sequence[str], allowed: Sequence[str] | None = None) -> Table:
    """Read a CSV file with a line of column names.

    Args:
        path: the file.
        required: columns that must be there.
        allowed: columns that may be there (None: any).

    Raises:
        ValueError: no file, no row, columns that are missing, unknown or twice there, or a row of another length.
    """
    if not path.is_file():
        raise ValueError(f"there is no {path.name} in {path.parent}: it needs the columns {', '.join(required)}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        columns = [name.strip() for name in next(reader, [])]
        read = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    for name in required:
        if name not in columns:
            raise ValueError(f"{path.name}:1: the column {name} is missing; there are {', '.join(columns) or 'none'}")
    for name in columns:
        if not name or columns.count(name) > 1 or (allowed is not None and name not in allowed):
            may = f"; may be there: {', '.join(allowed)}" if allowed is not None else ""
            raise ValueError(f"{path.name}:1: columns need names of their own that mean something, got {name!r}{may}")
    for line, row in read:
        if len(row) != len(columns):
            raise ValueError(f"{path.name}:{line}: a row must have {len(columns)} cells, got {len(row)}: {row}")
    if not read:
        raise ValueError(f"{path.name} is empty: it needs a row below the names of the columns")
    rows = [dict(zip(columns, row, strict=True)) for _, row in read]
    return Table(path.name, columns, rows, [line for line, _ in read])


def read_number(text: str, where: str, column: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"{where}: the column {column} must hold finite numbers, got {text!r}: fill it in, drop the column, or "
            "name it in --categorical"
        )
    return value


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


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
    ids, names = {name: place for place, name in enumerate(graph_names)}, nodes.column("node")
    graph_of = [ids[name] for name in nodes.column("graph")] if several else [0] * len(names)
    index = _node_index(nodes, graph_names, graph_of)
    wanted = ["source", "target", *(["graph"] if several else [])]
    pairs, weights = _read_edges(read_table(folder / "edges.csv", wanted, [*wanted, "weight"]), index, directed)
    flat = torch.tensor(pairs).T
    graph = Graph(flat, len(names), weights) if directed else Graph.undirected(flat.T, len(names), weights)
    graph = Graph(graph.edges, graph.nodes, graph.weights, torch.tensor(graph_of), len(graph_names))
    return GraphTable(graph, pairs, names, graph_names, *_read_features(nodes, categorical, of_graphs), labelled)


def _check_same_graphs(graphs: Table, nodes: Table) -> None:
    """Refuse a graph that is twice there, that has no node, or whose nodes alone are there."""
    names, used = graphs.column("graph"), set(nodes.column("graph"))
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"{graphs.at(place)}: the graph {name!r} is there already")
        if name not in used:
            raise ValueError(f"{graphs.at(place)}: the graph {name!r} is empty: it has no node in nodes.csv")
    for place, name in enumerate(nodes.column("graph")):
        if name not in names:
            raise ValueError(f"{nodes.at(place)}: the graph {name!r} has no label in graphs.csv")


def _node_index(nodes: Table, graph_names: list[str], graph_of: list[int]) -> dict[tuple[str, str], int]:
    """Return the number of each node by the names of graph and node."""
    index: dict[tuple[str, str], int] = {}
    for place, name in enumerate(nodes.column("node")):
        key = (graph_names[graph_of[place]], name)
        if not name or key in index:
            raise ValueError(f"{nodes.at(place)}: every node needs an id of its own in its graph, got {name!r} again")
        index[key] = place
    return index


def _read_edges(
    table: Table, index: dict[tuple[str, str], int], directed: bool
) -> tuple[list[tuple[int, int]], Tensor | None]:
    """Return edges as pairs of numbers of nodes, and what they weigh."""
    seen: dict[tuple[int, int], int] = {}
    for place, row in enumerate(table.rows):
        for end in ("source", "target"):
            if (row.get("graph", ""), row[end]) not in index:
                raise ValueError(f"{table.at(place)}: the {end} {row[end]!r} is no node of nodes.csv: add it there")
        source, target = (index[row.get("graph", ""), row[end]] for end in ("source", "target"))
        if source == target:
            raise ValueError(f"{table.at(place)}: {row['source']!r} is joined to itself: leave it out, layers do that")
        if (source, target) in seen or (not directed and (target, source) in seen):
            first = seen.get((source, target), seen.get((target, source)))
            raise ValueError(
                f"{table.at(place)}: {row['source']!r} and {row['target']!r} are joined in line {first} already: list "
                "a pair once, or use --directed if its two directions differ"
            )
        seen[source, target] = table.lines[place]
    if "weight" not in table.columns:
        return list(seen), None
    weights = [read_number(text, table.at(place), "weight") for place, text in enumerate(table.column("weight"))]
    for place, weight in enumerate(weights):
        if weight < 0:
            raise ValueError(f"{table.at(place)}: a weight must not be negative, got {weight}")
    return list(seen), torch.tensor(weights)


def _read_features(nodes: Table, categorical: Sequence[str], of_graphs: bool) -> tuple[Tensor, Tensor]:
    """Return numeric columns, and the one-hot values of all others.

    Without a column of features, nodes of one graph get a one-hot number of their own, those of several graphs a 1.
    """
    numeric, one_hot = [], []
    for name in nodes.columns:
        if name in RESERVED:
            continue
        cells = nodes.column(name)
        if name not in categorical and any(_is_number(cell) for cell in cells):
            numeric.append([read_number(cell, nodes.at(place), name) for place, cell in enumerate(cells)])
            continue
        for place, cell in enumerate(cells):
            if not cell or cell.lower() in ("nan", "inf", "-inf"):
                raise ValueError(f"{nodes.at(place)}: the column {name} has no value, got {cell!r}: fill it in")
        one_hot += [[float(cell == value) for cell in cells] for value in sorted(set(cells))]
    count = len(nodes.rows)
    if not numeric and not one_hot:
        if of_graphs or "graph" in nodes.columns:
            return torch.zeros(count, 0), torch.ones(count, 1)
        if count > MOST_ONE_HOT_NODES:
            raise ValueError(
                f"nodes.csv has no column of features: above {MOST_ONE_HOT_NODES} nodes it needs one, {count} are there"
            )
        return torch.zeros(count, 0), torch.eye(count)
    return torch.tensor(numeric).reshape(-1, count).T, torch.tensor(one_hot).reshape(-1, count).T


@dataclass(frozen=True)
class Targets:
    """What is to be predicted: class numbers or numbers, -1 or NaN where it is not known."""

    values: Tensor
    classes: list[str]
    known: list[int]


def read_targets(table: Table, kind: str) -> Targets:
    """Return the labels of nodes or graphs; text makes classes, numbers make a regression, unless `kind` says which.

    Raises:
        ValueError: no label, or text where numbers are asked for.
    """
    if "label" not in table.columns:
        raise ValueError(f"{table.name}:1: the column label is missing; there are {', '.join(table.columns)}")
    cells = table.column("label")
    known = [place for place, cell in enumerate(cells) if cell]
    if not known:
        raise ValueError(f"{table.name}: no row has a label")
    if kind == "auto":
        kind = "regression" if all(_is_number(cells[place]) for place in known) else "classification"
    if kind == "regression":
        values = torch.full((len(cells),), math.nan)
        for place in known:
            values[place] = read_number(cells[place], table.at(place), "label")
        return Targets(values, [], known)
    classes = sorted({cells[place] for place in known})
    if len(classes) < 2:
        raise ValueError(f"{table.name}: two classes must be there at least, got {classes[0]!r} alone")
    return Targets(torch.tensor([classes.index(cell) if cell else -1 for cell in cells]), classes, known)


def read_splits(table: Table, targets: Targets, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the places of the rows of each split: from the column, or drawn, 60 : 20 : 20 of each class.

    Where nodes belong to several graphs, whole graphs are drawn.

    Raises:
        ValueError: an unknown word, no label, an empty split, or a class without an example to train on.
    """
    words: dict[int, str] = {}
    if "split" in table.columns:
        for place, word in enumerate(table.column("split")):
            if word not in (*SPLITS, ""):
                raise ValueError(f"{table.at(place)}: split must be one of {', '.join(SPLITS)}; got {word!r}")
            if bool(word) != bool(table.rows[place]["label"]):
                raise ValueError(f"{table.at(place)}: a row needs label and split or neither, got split {word!r}")
            words |= {place: word} if word else {}
    else:
        words = _draw_splits(table, targets, generator)
    splits = {name: torch.tensor([place for place in words if words[place] == name]).long() for name in SPLITS}
    for name, places in splits.items():
        # One number has no spread that R2 could explain a part of.
        least = 1 if targets.classes else 2
        if len(places) < least:
            raise ValueError(f"{table.name}: the split {name} needs {least} rows or more, got {len(places)}")
    trained = set(targets.values[splits["train"]].tolist())
    for number, name in enumerate(targets.classes):
        if number not in trained:
            first = next(place for place in targets.known if targets.values[place] == number)
            raise ValueError(
                f"{table.at(first)}: the class {name!r} has no example to train on: add one, or leave it out"
            )
    return splits


def _draw_splits(table: Table, targets: Targets, generator: torch.Generator) -> dict[int, str]:
    """Return a split for each labelled row."""
    by_graph = table.name == "nodes.csv" and "graph" in table.columns
    groups: dict[object, list[int]] = {}
    for place in targets.known:
        key = table.rows[place]["graph"] if by_graph else targets.values[place].item() if targets.classes else ""
        groups.setdefault(key, []).append(place)
    # Units that stay together: graphs in one draw, or single rows in a draw for each class.
    draws = [list(groups.values())] if by_graph else [[[place] for place in group] for group in groups.values()]
    words = {}
    for units in draws:
        order = torch.randperm(len(units), generator=generator).tolist()
        ends = (max(1, round(0.6 * len(units))), round(0.8 * len(units)))
        for rank, unit in enumerate(order):
            word = SPLITS[(rank >= ends[0]) + (rank >= ends[1])]
            words |= dict.fromkeys(units[unit], word)
    return words


# Built-in data, as files


def karate_files() -> dict[str, list[list[str]]]:
    """Return Zachary's karate club: the faction that each member joined, and who met whom."""
    from networkx import karate_club_graph

    club = karate_club_graph()
    factions = {"Mr. Hi": "instructor", "Officer": "president"}
    return {
        "nodes.csv": [["node", "label"], *[[f"member {node}", factions[club.nodes[node]["club"]]] for node in club]],
        "edges.csv": [["source", "target"], *[[f"member {one}", f"member {other}"] for one, other in club.edges]],
    }


def motif_files(pairs: int = 120) -> dict[str, list[list[str]]]:
    """Return random trees with a hexagon or two triangles joined at one node: twins of equal degrees."""
    task, generator = "hexagon or two triangles, joined at one node", torch.Generator().manual_seed(0)
    graphs, labels = motifs_in_trees(task, pairs, generator)
    nodes, edges = [["node", "graph"]], [["source", "target", "graph"]]
    for number, graph in enumerate(graphs):
        nodes += [[str(node), f"g{number}"] for node in range(graph.nodes)]
        edges += [[str(one), str(other), f"g{number}"] for one, other in graph.edges.T.tolist() if one < other]
    # Twins stay in one split.
    words = ["train", "train", "train", "validation", "test"]
    rows = [
        [f"g{number}", ("hexagon", "triangles")[label], words[number // 2 % 5]] for number, label in enumerate(labels)
    ]
    return {"nodes.csv": nodes, "edges.csv": edges, "graphs.csv": [["graph", "label", "split"], *rows]}


BUILT_IN = {"karate": karate_files, "motifs": motif_files}


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """Write a CSV file, whole or not at all, and return its path."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


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
