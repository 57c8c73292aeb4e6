"""What do ModernBERT's gates compute, who sees whom in its layers, and what do local layers save?

    uv run sprints/19_transformer_variants/modernbert_by_hand.py
    uv run sprints/19_transformer_variants/modernbert_by_hand.py --tokens 20 --reach 1

Theory: notes/04_modernbert.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, NonNegativeInt, PositiveInt
from shared.lab.run import run
from shared.nn.gated import GatedFeedForward
from shared.nn.modern_bert import local_mask

# A token of one feature; the weights of two hidden ones.
GATE, EXPAND, CONTRACT = (1.0, -1.0), (3.0, 2.0), (1.0, 1.0)
# ModernBERT base: tokens, layers of each kind, and how far a local layer sees to each side.
CONTEXT, GLOBAL_LAYERS, LOCAL_LAYERS, REACH = 8192, 8, 14, 64


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: AtLeastTwo = 13  # tokens of the drawn text
    reach: NonNegativeInt = 2  # tokens that a local layer of the drawing sees on each side
    layers: PositiveInt = 3  # layers of the drawing: the first is global, two of three are local


@dataclass(frozen=True)
class Results:
    gates: list[float]
    gated: list[float]
    output: float
    by_the_module: float
    seen: list[list[list[int]]]
    reached: list[list[int]]
    global_scores: int
    local_scores: int
    published: int
    all_global: int


def scores_of_a_local_layer(tokens: int, reach: int) -> int:
    """Return how many pairs of tokens are at most `reach` apart: a band of a square, less its two cut corners."""
    reach = min(reach, tokens - 1)
    return tokens * (2 * reach + 1) - reach * (reach + 1)


def main(config: Config) -> Results:
    x = 1.0
    gates = functional.gelu(torch.tensor(GATE) * x).tolist()
    gated = [gate * weight * x for gate, weight in zip(gates, EXPAND, strict=True)]
    output = sum(weight * value for weight, value in zip(CONTRACT, gated, strict=True))
    module = GatedFeedForward(1, 2, "gelu")
    with torch.no_grad():
        for part, numbers in ((module.gate, GATE), (module.expand, EXPAND), (module.contract, CONTRACT)):
            part.weight.copy_(torch.tensor(numbers).view_as(part.weight))
        by_the_module = module(torch.tensor([[x]])).item()
    print(f"GeGLU: gates {gates[0]:.3f} and {gates[1]:.3f}, gated {gated[0]:.3f} and {gated[1]:.3f}, out {output:.3f}")

    whole, near = torch.ones(config.tokens, config.tokens, dtype=torch.bool), local_mask(config.tokens, config.reach)
    seen = [whole if layer % 3 == 0 else near for layer in range(config.layers)]
    # Which token can have changed which, through all local layers that follow each other: a product of masks.
    reached, chain = [], torch.eye(config.tokens)
    for mask in (near, near):
        chain = ((mask.float() @ chain) > 0).float()
        reached.append(chain.int()[config.tokens // 2].tolist())
    print(f"the middle token is reached by {[sum(row) for row in reached]} tokens through 1 and 2 local layers")
    everything, local = CONTEXT**2, scores_of_a_local_layer(CONTEXT, REACH)
    published = GLOBAL_LAYERS * everything + LOCAL_LAYERS * local
    every = (GLOBAL_LAYERS + LOCAL_LAYERS) * everything
    print(f"scores of a head, {CONTEXT} tokens: global layer {everything:,}, local layer {local:,}")
    print(f"whole model: {published / every:.1%} of the scores of one whose layers are all global")
    masks = [mask.int().tolist() for mask in seen]
    return Results(gates, gated, output, by_the_module, masks, reached, everything, local, published, every)


def plot(results: Results) -> Figure:
    """Draw who sees whom: a global layer, a local one, and what reaches a token through two local ones."""
    whole, near = (torch.tensor(results.seen[layer]) for layer in (0, min(1, len(results.seen) - 1)))
    twice = ((near @ near) > 0).int()
    figure, panels = new_figure(9.4, 3.7, columns=3)
    titles = ("global layer", "local layer", "through two local layers")
    for axes, mask, title in zip(panels, (whole, near, twice), titles, strict=True):
        axes.imshow(mask, cmap="Blues", vmin=0, vmax=1.6)
        middle = len(mask) // 2
        axes.axhline(middle - 0.5, color="#b35900", linewidth=1)
        axes.axhline(middle + 0.5, color="#b35900", linewidth=1)
        axes.set(title=title, xlabel="token that is seen", xticks=range(0, len(mask), 3), yticks=range(0, len(mask), 3))
        axes.grid(False)
    panels[0].set_ylabel("token that looks")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
