"""Two layers on seven nodes, a change, and the ball of those who hear of it: each state computed, and which again.

    uv run sprints/26_dynamic_knowledge_graph/neighbours_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/neighbours_by_hand.py --changed salt --to 9

Every node says one number, and a layer adds the mean of what a node hears. Theory: notes/12_vectors_of_neighbours.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure

from knowledge.balls import LivingVectors, ball
from knowledge.sage import LinkSAGE
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.drawings import TOKEN, canvas, text, tint
from shared.lab.figures import COLOURS
from shared.lab.ranges import NonNegativeFloat
from shared.lab.run import run

SAYS = {"olives": 4.0, "oil": 2.0, "salt": 7.0, "flour": 1.0, "salad": 0.0, "bread": 1.0, "picnic": 0.0}
NEEDS = {"oil": ["olives"], "salad": ["oil", "salt"], "bread": ["flour", "salt"], "picnic": ["salad", "bread"]}
NODES = list(SAYS)
PLACES = {"olives": (0, 3), "oil": (1, 3), "salt": (1, 1.9), "flour": (1, 0.8), "salad": (2, 2.6), "bread": (2, 1.2),
          "picnic": (3, 1.9)}  # fmt: skip
NEAR = (COLOURS[3], COLOURS[1], COLOURS[6])  # by how many links away


@dataclass(frozen=True)
class Config(ScriptConfig):
    changed: Literal["olives", "oil", "salt", "flour", "salad", "bread", "picnic"] = "olives"  # says something else
    to: NonNegativeFloat = 8.0  # what it says then


@dataclass(frozen=True)
class Results:
    before: dict[str, list[float]]  # of each node what it says, and its states behind each layer
    after: dict[str, list[float]]
    reached: dict[str, int]  # the ball: who is how many links away from the change
    computed: int  # states that were computed again
    states: int  # states that there are


def adding_model() -> LinkSAGE:
    """Return the model whose weights make a layer add the mean of what a node hears to what it has."""
    model = LinkSAGE(1, 1, 2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if name.endswith(("first.weight", "neighbours.weight")) else 0.0)
    return model


def states(living: LivingVectors) -> dict[str, list[float]]:
    """Return the states of all nodes."""
    return {name: [layer[number].item() for layer in living.states] for number, name in enumerate(NODES)}


def main(config: Config) -> Results:
    living = LivingVectors(adding_model(), at_once=len(NODES), clock=lambda: 0.0)
    needs = {name: [NODES.index(other) for other in NEEDS.get(name, [])] for name in NODES}
    for number, name in enumerate(NODES):
        living.put(number, torch.tensor([SAYS[name]]), needs[name])
    before, computed = states(living), living.computed
    changed = NODES.index(config.changed)
    living.put(changed, torch.tensor([config.to]), needs[config.changed])
    after = states(living)
    reached = {NODES[node]: links for node, links in ball([changed], living.needed_by, 2).items()}
    for name in NODES:
        far = f"{reached[name]} links away" if name in reached else "not reached"
        print(f"{name:<8}{before[name]} -> {after[name]}, {far}")
    print(f"computed again: {living.computed - computed} of {3 * len(NODES)} states")
    return Results(before, after, reached, living.computed - computed, 3 * len(NODES))


def plot(results: Results) -> Figure:
    """Draw the nodes from left to right as messages flow, those of the ball coloured by their distance."""
    figure, axes = canvas(8.2, 3.9)
    spots = {name: (0.9 + 2.1 * x, 0.1 + 1.05 * y) for name, (x, y) in PLACES.items()}
    for name, others in NEEDS.items():
        for other in others:
            hot = other in results.reached and results.reached[other] < 2
            axes.annotate(
                "", spots[name], spots[other],
                arrowprops={"arrowstyle": "-|>", "color": NEAR[0] if hot else "#aaaaaa", "shrinkA": 32, "shrinkB": 32,
                            "linewidth": 2 if hot else 1},
            )  # fmt: skip
    for name, (x, y) in spots.items():
        far = results.reached.get(name)
        face = tint(TOKEN, 0.15) if far is None else tint(NEAR[far], 0.5)
        axes.scatter([x], [y], s=3000, color=[face], zorder=2)
        before, after = results.before[name][-1], results.after[name][-1]
        text(axes, name, x, y + 0.13, bold=True)
        text(axes, f"{before:g}" if before == after else f"{before:g} → {after:g}", x, y - 0.13)
    for far, (label, colour) in enumerate(zip(("changed", "1 link away", "2 links away"), NEAR, strict=True)):
        axes.scatter([5.6 + 0.0], [3.75 - 0.25 * far], s=90, color=[tint(colour, 0.5)])
        text(axes, label, 5.8, 3.75 - 0.25 * far, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
