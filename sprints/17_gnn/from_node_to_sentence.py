"""How does a node of a graph get into a sentence? One small graph, step by step, with the shapes.

    uv run sprints/17_gnn/from_node_to_sentence.py
    uv run sprints/17_gnn/from_node_to_sentence.py --node 8

Draws the path of describe_nodes.py for one node: graph, embedding, prefix, GPT, text. Nothing is trained; the numbers
are the shapes, and the exact probabilities of what has to be inferred. Theory: notes/12_graphs_into_words.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from graph_study.ingredient_graphs import NAMES, SIDES, SIZE, batch_ingredients, draw_ingredients, posterior
from graph_study.node_facts import describe, facts_of
from graph_study.prefix_gpt import NodeEncoder
from shared.graph.drawn_graphs import draw_graph
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

SIDE_COLOURS = (drawings.KEY, drawings.QUERY)  # warm, cold


@dataclass(frozen=True)
class Config(ScriptConfig):
    node: Annotated[int, Field(ge=0, lt=SIZE)] = 4  # which node is described
    prefix: PositiveInt = 4  # vectors before the text


@dataclass(frozen=True)
class Results:
    names: list[str]
    pairs: list[list[int]]
    badges: list[str]
    node: int
    features: list[int]
    embeddings: list[int]
    prefix: int
    sentence: str
    # What can be known of the node at best: the probabilities of the warm side and of a bridge.
    warm: float
    bridge: float


@torch.no_grad()
def main(config: Config) -> Results:
    ingredients = draw_ingredients(seed_everything(config.seed))
    features, graph = batch_ingredients([ingredients])
    encoder = NodeEncoder(features.shape[1])
    embeddings = encoder(features, graph)
    warm, bridge = (values[config.node] for values in posterior(ingredients))
    sentence = describe(facts_of(ingredients, config.node))
    print(f"features {tuple(features.shape)}, embeddings {tuple(embeddings.shape)}")
    print(f"the true sentence: {sentence}")
    print(f"known at best: warm with probability {warm:.3f}, a bridge with {bridge:.3f}")
    edges = graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]].T.tolist()
    return Results(
        names=[NAMES[name] for name in ingredients.names],
        pairs=edges,
        badges=[
            SIDES[side] if badge else "" for side, badge in zip(ingredients.sides, ingredients.badges, strict=True)
        ],
        node=config.node,
        features=list(features.shape),
        embeddings=list(embeddings.shape),
        prefix=config.prefix,
        sentence=sentence,
        warm=warm,
        bridge=bridge,
    )


def plot(results: Results) -> Figure:
    """Draw the graph, and the way of one of its nodes to a sentence."""
    import networkx as nx

    figure, axes = drawings.canvas(10.6, 5.0)
    layout = nx.kamada_kawai_layout(nx.Graph([tuple(pair) for pair in results.pairs]))
    places = [(2.0 + 1.75 * layout[node][0], 2.5 + 2.1 * layout[node][1]) for node in range(SIZE)]
    colours = [SIDE_COLOURS[SIDES.index(badge)] if badge else drawings.TOKEN for badge in results.badges]
    strengths = [0.85 if node == results.node else 0.3 for node in range(SIZE)]
    pairs = [(one, other) for one, other in results.pairs]
    draw_graph(axes, places, pairs, [""] * SIZE, colours=colours, strengths=strengths, radius=0.14)
    for node, (x, y) in enumerate(places):
        drawings.text(axes, results.names[node], x, y + 0.22, size=7.5, bold=node == results.node)
    steps = [
        ("GraphSAGE,\n4 layers", f"embeddings\n({', '.join(map(str, results.embeddings))})", drawings.MIXED),
        ("take one row,\nlinear map", f"{results.prefix} vectors of\nd_model numbers", drawings.MIXED),
        ("GPT reads them\nas if words", "text, token\nby token", drawings.VALUE),
    ]
    x = 4.3
    drawings.text(axes, f"features\n({', '.join(map(str, results.features))})", 4.35, 1.45)
    for words, shape, colour in steps:
        drawings.arrow(axes, (x - 0.25, 2.3), (x + 0.25, 2.3))
        drawings.box(axes, words, x + 0.3, 1.95, 1.4, 0.7, colour)
        drawings.text(axes, shape, x + 1.0, 1.45)
        x += 2.0
    drawings.text(axes, f'"{results.sentence}"', 7.3, 3.4, bold=True)
    known = f"best possible: warm with probability {results.warm:.2f}, a bridge with {results.bridge:.2f}"
    drawings.text(axes, known, 7.3, 3.05)
    drawings.text(axes, "orange: badge warm, blue: badge cold, grey: no badge", 2.0, 0.12, size=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
