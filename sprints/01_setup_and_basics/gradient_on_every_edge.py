"""How does a gradient flow back? One expression as a graph, with its number on every edge.

    uv run sprints/01_setup_and_basics/gradient_on_every_edge.py
    uv run sprints/01_setup_and_basics/gradient_on_every_edge.py --x 1 --w -2

The expression is (w x + b - t)^2: a prediction w x + b, and how far it is from the target t. A second graph uses one
number three times. Theory: notes/07_gradients.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeFloat
from shared.lab.run import run

Number = Annotated[float, Field(ge=-1e6, le=1e6)]
BACKWARD = "#B45F06"  # the colour of gradients
PLACES = {  # of the drawing: the middle of each box
    "line": {
        "w": (0.8, 3.9), "x": (0.8, 2.9), "b": (2.5, 2.35), "t": (4.2, 2.35),
        "w·x": (2.5, 3.4), "+b": (4.2, 3.4), "−t": (5.9, 3.4), "( )²": (7.6, 3.4),
    },
    "three uses": {"x": (2.5, 0.6), "x·x": (4.2, 1.45), "+x": (5.9, 0.6)},
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    x: Number = 2.0  # the input
    w: Number = 3.0  # the weight
    b: Number = 1.0  # the bias
    t: Number = 5.0  # the target
    learning_rate: NonNegativeFloat = 0.05  # of one step downhill
    used_three_times: Number = 3.0  # x of the second graph, x·x + x


@dataclass(frozen=True)
class Node:
    """A number with its value, and for each number that it was computed from its name and the local derivative."""

    name: str
    value: float
    sources: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Edge:
    source: str
    target: str
    local: float
    sent_back: float


@dataclass(frozen=True)
class Graph:
    nodes: list[Node]
    edges: list[Edge]
    gradients: dict[str, float]


@dataclass(frozen=True)
class Results:
    graphs: dict[str, Graph]
    autograd: dict[str, float]
    after: dict[str, float]


def flow_back(nodes: list[Node]) -> Graph:
    """Return the derivative of the last node by each node, and what each edge sends back; sources come first."""
    gradients = {node.name: 0.0 for node in nodes}
    gradients[nodes[-1].name] = 1.0
    edges = []
    for node in reversed(nodes):
        for source, local in node.sources:
            sent_back = gradients[node.name] * local
            edges.append(Edge(source, node.name, local, sent_back))
            gradients[source] += sent_back
    return Graph(nodes, edges, gradients)


def line_error(x: float, w: float, b: float, t: float) -> Graph:
    """Return the graph of (w x + b - t)^2 with its gradients."""
    leaves = [Node("w", w), Node("x", x), Node("b", b), Node("t", t)]
    product = Node("w·x", w * x, (("w", x), ("x", w)))
    prediction = Node("+b", product.value + b, (("w·x", 1.0), ("b", 1.0)))
    error = Node("−t", prediction.value - t, (("+b", 1.0), ("t", -1.0)))
    return flow_back([*leaves, product, prediction, error, Node("( )²", error.value**2, (("−t", 2 * error.value),))])


def main(config: Config) -> Results:
    x = config.used_three_times
    square = Node("x·x", x * x, (("x", x), ("x", x)))
    line = line_error(config.x, config.w, config.b, config.t)
    graphs = {
        "line": line,
        "three uses": flow_back([Node("x", x), square, Node("+x", square.value + x, (("x·x", 1.0), ("x", 1.0)))]),
    }
    for name, graph in graphs.items():
        print(f"{name}: " + ", ".join(f"{node.name} = {node.value:g}" for node in graph.nodes))
        for edge in graph.edges:
            print(f"  {edge.target:>4} sends {edge.sent_back:g} to {edge.source:<4} (local derivative {edge.local:g})")
        print("  gradients: " + ", ".join(f"{name} {value:g}" for name, value in graph.gradients.items()))
    tensors = {
        name: torch.tensor(getattr(config, name), dtype=torch.float64, requires_grad=True) for name in ("w", "x", "b")
    }
    ((tensors["w"] * tensors["x"] + tensors["b"] - config.t) ** 2).backward()
    autograd = {name: 0.0 if tensor.grad is None else tensor.grad.item() for name, tensor in tensors.items()}
    print("PyTorch finds " + ", ".join(f"{name} {value:g}" for name, value in autograd.items()))
    w, b = config.w - config.learning_rate * line.gradients["w"], config.b - config.learning_rate * line.gradients["b"]
    loss = line_error(config.x, w, b, config.t).nodes[-1].value
    print(f"one step downhill: w {w:g}, b {b:g}, squared error {loss:g} instead of {line.nodes[-1].value:g}")
    return Results(graphs, autograd, {"w": w, "b": b, "squared error": loss})


def plot(results: Results) -> Figure:
    """Draw both graphs: values in the boxes, gradients under them, and on each edge what is sent back along it."""
    figure, axes = drawings.canvas(8.6, 4.6)
    drawings.text(
        axes, "black: forwards, from left to right. Orange: gradients, sent back from right to left", 4.3, 4.5
    )
    for name, graph in results.graphs.items():
        places = PLACES[name]
        for node in graph.nodes:
            x, y = places[node.name]
            colour = drawings.QUERY if not node.sources else drawings.TOKEN
            label = f"{node.name} = {node.value:.3g}" if not node.sources else f"{node.name}\n{node.value:.3g}"
            drawings.box(axes, label, x - 0.4, y - 0.22, 0.8, 0.44, colour)
            note = f"gradient {graph.gradients[node.name]:.3g}"
            axes.text(x, y - 0.34, note, ha="center", va="center", fontsize=8, color=BACKWARD)
        for number, edge in enumerate(graph.edges):
            (x, y), (end_x, end_y) = places[edge.source], places[edge.target]
            bend = 0.09 if (edge.source, edge.target) == ("x", "x·x") else 0.0
            bend *= 1 if number % 2 else -1
            upwards = end_x - x < 0.1 or (end_y - y) > 0.9
            start = (x + 0.42, y + bend) if not upwards else (x + 0.3, y + 0.24)
            end = (end_x - 0.42, end_y + bend) if not upwards else (end_x - 0.42, end_y - 0.1)
            drawings.arrow(axes, start, end)
            box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"}
            middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + bend)
            axes.text(
                *middle, f"{edge.sent_back:.3g}", ha="center", va="center", fontsize=9, color=BACKWARD, bbox=box,
                fontweight="bold",
            )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
