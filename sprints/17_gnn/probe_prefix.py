"""What does each vector of a prefix tell? A linear rule asks one vector for one fact.

    uv run sprints/17_gnn/probe_prefix.py
    uv run sprints/17_gnn/probe_prefix.py --preset long

The describer is trained as in describe_nodes.py, with the same seed and so to the same weights. Then logistic
regression reads the name, the side, one possible friend and the bridge from a single vector. Where it is right, the
fact is there; where it is not, it may be there in another form. Theory: notes/12_graphs_into_words.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from graph_study.describer_training import DescriberTraining, TrainedDescriber, train_describer
from graph_study.ingredient_graphs import SIDES, batch_ingredients
from graph_study.node_facts import NodeFacts, all_facts, largest_share
from graph_study.options import from_options
from graph_study.prefix_gpt import Kind
from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import NonNegativeInt, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED

FRIEND = "leeks"
QUESTIONS = ("name", "side", f"{FRIEND}?", "bridge")
# Axes may point the other way.
TOLERANCE = {"probes.*": TRAINED, "points.*": Tolerance(compared=False), "sides.*": EXACT, "bridges.*": EXACT}
PRESETS = {
    "long": {"graphs": 4000, "steps": 1200},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), gpt2, or a folder
    graphs: PositiveInt = 1500  # training graphs of 14 nodes
    test_graphs: PositiveInt = 40  # graphs for the test, drawn after those of training
    prefix: PositiveInt = 4  # vectors before the text
    encoder: Kind = "sage"  # layers of the graph network; those of comparing see both ends of an edge
    encoder_steps: NonNegativeInt = 0  # steps in which the encoder learns alone to know the facts, before the text
    steps: PositiveInt = 600  # optimizer steps
    batch_size: PositiveInt = 4  # graphs of a step
    learning_rate: PositiveFloat = 2e-3  # of AdamW
    muon_learning_rate: PositiveFloat = 0.01  # of Muon, for the hidden matrices
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products


@dataclass(frozen=True)
class Results:
    # How well each vector of the prefix alone tells each fact by a linear rule: (vectors, facts), chance the last row.
    probes: list[list[float]]
    # Two principal components of the embeddings of test nodes, and what to colour them by.
    points: list[list[float]]
    sides: list[int]
    bridges: list[bool]


def told_by(vectors: Tensor, answers: Sequence[object]) -> float:
    """Return how often logistic regression on vectors, (num_nodes, d_model), is right on nodes it was not fitted to."""
    from sklearn.linear_model import LogisticRegression

    half = len(answers) // 2
    if len(set(answers[:half])) == 1:  # a few graphs may hold one answer only
        return answers[half:].count(answers[0]) / (len(answers) - half)
    rule = LogisticRegression(max_iter=300).fit(vectors[:half], answers[:half])
    return float(rule.score(vectors[half:], answers[half:]))


def probe(prefixes: Tensor, facts: Sequence[NodeFacts]) -> list[list[float]]:
    """Return how well one vector of the prefix tells a fact of test nodes: (vectors, facts).

    The last row is the most frequent answer.

    Args:
        prefixes: (num_nodes, vectors, d_model).
        facts: of each node.
    """
    columns = [
        [node.name for node in facts],
        [node.side for node in facts],
        [FRIEND in node.friends for node in facts],
        [node.bridge for node in facts],
    ]
    rows = [[told_by(vectors, answers) for answers in columns] for vectors in prefixes.unbind(dim=1)]
    return [*rows, [largest_share(answers) for answers in columns]]


@torch.no_grad()
def inspect(trained: TrainedDescriber) -> Results:
    """Return probes of the prefix vectors, and the embeddings on their two principal axes."""
    features, graph = batch_ingredients(trained.test)
    device = next(trained.model.parameters()).device
    embeddings = trained.model.encoder(features.to(device), graph.to(device))
    centred = embeddings - embeddings.mean(dim=0)
    points = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    facts = all_facts(trained.test)
    return Results(
        probes=probe(trained.model.prefix.prefixes(embeddings).cpu(), facts),
        points=points.tolist(),
        sides=[side for ingredients in trained.test for side in ingredients.sides],
        bridges=[node.bridge for node in facts],
    )


def main(config: Config) -> Results:
    keep_freed_memory()
    how = from_options(DescriberTraining, config, device=pick_device(config.device))
    trained = train_describer(how, "graph", config.seed, seed_everything(config.seed))
    trained.model.eval()
    results = inspect(trained)
    print(f"{'told by':<14}", "  ".join(f"{question:>8}" for question in QUESTIONS))
    for name, shares in zip(row_names(results.probes), results.probes, strict=True):
        print(f"{name:<14}", "  ".join(f"{share:8.1%}" for share in shares))
    return results


def row_names(probes: Sequence[Sequence[float]]) -> list[str]:
    return [*(f"vector {number}" for number in range(1, len(probes))), "most frequent"]


def draw_probes(axes: Axes, probes: list[list[float]]) -> None:
    """Draw how well each vector of the prefix tells each fact."""
    axes.imshow(probes, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, shares in enumerate(probes):
        for column, share in enumerate(shares):
            colour = "white" if share > 0.6 else "black"
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(QUESTIONS)), QUESTIONS)
    axes.set_yticks(range(len(probes)), row_names(probes))
    axes.set(title="what one vector of the prefix tells")
    axes.grid(False)


def plot(results: Results) -> Figure:
    """Draw what the vectors of the prefix tell, and where nodes are in embedding space."""
    figure, (left, right) = new_figure(10, 4, columns=2)
    draw_probes(left, results.probes)
    nodes = list(zip(results.points, results.sides, results.bridges, strict=True))
    for side, bridge in product(range(2), (False, True)):
        if points := [point for point, *kind in nodes if kind == [side, bridge]]:
            label = f"{SIDES[side]}{', a bridge' if bridge else ''}"
            marker = "^" if bridge else "o"
            right.scatter(*zip(*points, strict=True), s=16, color=COLOURS[1 - side], marker=marker, label=label)
    right.set(title="embeddings of test nodes, two principal axes", xticks=[], yticks=[])
    right.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
