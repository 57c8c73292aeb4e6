"""A network that works on features of nodes and edges, so that it can be used on nodes that come later; kept whole."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from graph_study.table_columns import TableColumns
from shared.graph.graphs import Graph
from shared.graph.message_passing import scatter_mean
from shared.training.sealed import load_sealed, save_sealed


class EdgeSAGELayer(nn.Module):
    """GraphSAGE whose edges say something: h' = U h_i + V mean of relu(A h_j + E e_ij) + b.

    A mean, because the mean over a few neighbours that were drawn is on average the mean over all of them.

    Args:
        in_features, out_features: numbers by node before and after.
        edge_features: numbers by edge.
    """

    def __init__(self, in_features: int, out_features: int, edge_features: int) -> None:
        super().__init__()
        self.own = nn.Linear(in_features, out_features, bias=False)
        self.of_source = nn.Linear(in_features, out_features)
        self.of_edge = nn.Linear(edge_features, out_features, bias=False)
        self.together = nn.Linear(out_features, out_features)

    def forward(self, features: Tensor, graph: Graph, edge_features: Tensor) -> Tensor:
        """Return the new features: (num_nodes, out_features)."""
        source, target = graph.edge_index
        messages = functional.relu(self.of_source(features)[source] + self.of_edge(edge_features))
        return self.own(features) + self.together(scatter_mean(messages, target, graph.num_nodes))


class LaterNodesNetwork(nn.Module):
    """Layers that hear what edges say, and a linear head.

    Args:
        in_features, edge_features: numbers by node and by edge.
        num_classes: logits of a node.
        width: numbers of a node between layers.
        layers: how many; so many steps away a node hears.
    """

    def __init__(self, in_features: int, edge_features: int, num_classes: int, *, width: int, layers: int) -> None:
        super().__init__()
        sizes = [in_features, *[width] * layers]
        self.layers = nn.ModuleList(EdgeSAGELayer(*pair, edge_features) for pair in pairwise(sizes))
        self.head = nn.Linear(width, num_classes)

    def forward(self, features: Tensor, graph: Graph, edge_features: Tensor) -> Tensor:
        """Return logits: (num_nodes, num_classes)."""
        for layer in self.layers:
            features = functional.relu(layer(features, graph, edge_features))
        return self.head(features)


@dataclass
class KeptModel:
    """A trained network, and all that is needed to use it on other files."""

    network: LaterNodesNetwork
    node_columns: TableColumns
    edge_columns: TableColumns
    classes: list[str]
    settings: dict[str, int]

    @classmethod
    def new(
        cls, node_columns: TableColumns, edge_columns: TableColumns, classes: list[str], settings: dict[str, int]
    ) -> "KeptModel":
        """Return a model with new weights.

        Raises:
            ValueError: nodes without a feature, of which nothing could be said.
        """
        if not node_columns.width:
            raise ValueError("nodes.csv needs a column of features: a node that comes later is known by them alone")
        network = LaterNodesNetwork(node_columns.width, edge_columns.width, len(classes), **settings)
        return cls(network, node_columns, edge_columns, classes, settings)

    def save(self, path: Path) -> Path:
        """Write the model, whole or not at all, and return its path."""
        content = {
            "weights": self.network.state_dict(),
            "nodes": self.node_columns.plain(),
            "edges": self.edge_columns.plain(),
            "classes": self.classes,
            "settings": self.settings,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        save_sealed(content, path)
        return path

    @classmethod
    def load(cls, path: Path) -> "KeptModel":
        """Read a model; the file can hold weights and plain values only.

        Raises:
            ValueError: it is not, bit for bit, what `save` wrote.
        """
        content: dict[str, Any] = load_sealed(path)
        if not isinstance(content, dict) or set(content) != {"weights", "nodes", "edges", "classes", "settings"}:
            raise ValueError(f"{path} is no model that later_nodes.py has kept: give the model.pt of one of its runs")
        nodes, edges = (TableColumns.restore(content[name]) for name in ("nodes", "edges"))
        model = cls.new(nodes, edges, list(content["classes"]), dict(content["settings"]))
        model.network.load_state_dict(content["weights"])
        return model
