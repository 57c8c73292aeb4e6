"""Who is missing an edge? Six nodes, six scores for each pair that is not linked, and how often a score is right.

    uv run sprints/27_graphs_downstream/scores_by_hand.py
    uv run sprints/27_graphs_downstream/scores_by_hand.py --missing 1 4

Theory: notes/01_what_a_score_can_be.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from downstream.heuristics import HEURISTICS
from downstream.link_scores import auc
from shared.graph.graphs import Graph
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

EDGES = ((0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5))  # two triangles, 0 1 2 and 3 4 5, and a bridge
PLACES = ((0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (2.2, 0.0), (3.2, 1.0), (3.2, -1.0))


@dataclass(frozen=True)
class Config(ScriptConfig):
    missing: tuple[int, int] = (0, 1)  # an edge that is taken out and looked for

    def check(self) -> None:
        """Check that there is such an edge."""
        if tuple(sorted(self.missing)) not in EDGES:
            raise ValueError(f"the edge must be one of {', '.join(map(str, EDGES))}; got {self.missing}")


@dataclass(frozen=True)
class Results:
    missing: list[int]
    pairs: list[list[int]]  # the missing edge first, then the pairs that were never linked
    scores: dict[str, list[float]]
    aucs: dict[str, float]


def main(config: Config) -> Results:
    first, second = sorted(config.missing)
    left = [edge for edge in EDGES if edge != (first, second)]
    never = [(one, two) for one in range(6) for two in range(one + 1, 6) if (one, two) not in EDGES]
    pairs = torch.tensor([(first, second), *never])
    graph = Graph.undirected(left, 6)
    scores, aucs = {}, {}
    for name, score in HEURISTICS.items():
        values = score(graph, pairs)
        scores[name], aucs[name] = values.tolist(), auc(values[:1], values[1:])
        print(f"{name:<24}", " ".join(f"{value:6.3f}" for value in scores[name]), f"  AUC {aucs[name]:.3f}")
    return Results([first, second], pairs.tolist(), scores, aucs)


def plot(results: Results) -> Figure:
    """Draw the graph, the missing edge as a broken line."""
    figure, axes = new_figure(5.0, 3.0)
    for one, two in EDGES:
        (x, y), (u, v) = PLACES[one], PLACES[two]
        gone = [one, two] == results.missing
        axes.plot([x, u], [y, v], "--" if gone else "-", color=COLOURS[1] if gone else "0.5", linewidth=2, zorder=1)
    for number, (x, y) in enumerate(PLACES):
        axes.scatter(x, y, s=420, color="white", edgecolor="black", zorder=2)
        axes.text(x, y, str(number), ha="center", va="center", zorder=3)
    axes.set_aspect("equal")
    axes.margins(0.15)
    axes.axis("off")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
