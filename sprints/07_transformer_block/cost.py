"""What does each part of a block cost, in parameters and in operations, and when does attention overtake the rest?

    uv run sprints/07_transformer_block/cost.py

Formulas beside what is there: parameters of the module, operations as PyTorch's counter sees them pass. For the model
that the repository ships and for GPT-2 small. Theory: notes/08_cost.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.utils.flop_counter import FlopCounterMode

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.nn.blocks import GPTBlock

# d_model, heads and context
MODELS = {"shipped": (192, 4, 256), "gpt2": (768, 12, 1024)}
TITLES = {"shipped": "the shipped model", "gpt2": "GPT-2 small"}
PARTS = ("projections", "scores and means", "feed-forward", "norms")
Longest = Annotated[int, Field(ge=4096, le=2**20)]  # attention overtakes the rest at 3,073


@dataclass(frozen=True)
class Config(ScriptConfig):
    longest: Longest = 16_384  # tokens of the longest text


@dataclass(frozen=True)
class BlockCost:
    """What one block costs.

    Args:
        parameters, parameters_counted: by part, by formula and of the module.
        flops, flops_counted: operations by part for each token in a text as long as the context.
        lengths: of texts.
        attention_share: of all operations, in texts of these lengths, as counted.
        overtakes: the shortest text, as counted, in which the scores and means, or all of attention, cost more than
            the feed-forward network; `overtakes_formula` says the same by formula.
    """

    d_model: int
    context: int
    parameters: dict[str, int]
    parameters_counted: dict[str, int]
    flops: dict[str, float]
    flops_counted: dict[str, float]
    lengths: list[int]
    attention_share: list[float]
    overtakes: dict[str, int]
    overtakes_formula: dict[str, int]


@dataclass(frozen=True)
class Results:
    models: dict[str, BlockCost]


def parameters(d: int) -> dict[str, int]:
    """Return the parameters of a block by part: matrices and biases of d to d and d to 4d."""
    return dict(zip(PARTS, (4 * d * d + 4 * d, 0, 8 * d * d + 5 * d, 4 * d), strict=True))


def flops(d: int, tokens: int) -> dict[str, float]:
    """Return the operations of a block for each token: two for each weight, 2 T d each for scores and means.

    Norms, activations and softmax count nothing here, nor does the causal mask save anything, as in PyTorch's counter.
    """
    return dict(zip(PARTS, (8.0 * d * d, 4.0 * tokens * d, 16.0 * d * d, 0.0), strict=True))


def parameters_counted(block: GPTBlock) -> dict[str, int]:
    """Return the parameters that the module has, by part."""
    parts = {"attention": "projections", "feed_forward": "feed-forward", "attention_norm": "norms"}
    parts["feed_forward_norm"] = "norms"
    counted = dict.fromkeys(PARTS, 0)
    for name, parameter in block.named_parameters():
        counted[parts[name.partition(".")[0]]] += parameter.numel()
    return counted


def flops_counted(block: GPTBlock, d: int, tokens: int) -> dict[str, float]:
    """Return the operations that PyTorch counts for each token, by part, on tensors without data."""
    counter = FlopCounterMode(display=False)
    with torch.device("meta"), counter, torch.no_grad():
        block(torch.zeros(1, tokens, d))
    counts = {name.removeprefix("GPTBlock."): by_operator for name, by_operator in counter.get_flop_counts().items()}

    def total(module: str) -> float:
        return sum(counts.get(module, {}).values()) / tokens

    projections = total("attention.qkv") + total("attention.output")
    scores_and_means, feed_forward = total("attention") - projections, total("feed_forward")
    rest = total("Global") - total("attention") - feed_forward
    return dict(zip(PARTS, (projections, scores_and_means, feed_forward, rest), strict=True))


def shortest(holds: Callable[[int], bool], longest: int) -> int:
    """Return the least length at which something holds that goes on to hold, by bisection."""
    low, high = 0, longest
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def measure(d: int, heads: int, context: int, longest: int) -> BlockCost:
    with torch.device("meta"):
        block = GPTBlock(d, heads).eval()
    lengths = [2**power for power in range(4, longest.bit_length())]

    def share(tokens: int) -> float:
        by_part = flops_counted(block, d, tokens)
        return (by_part["projections"] + by_part["scores and means"]) / sum(by_part.values())

    def more(tokens: int, *parts: str) -> bool:
        by_part = flops_counted(block, d, tokens)
        return sum(by_part[part] for part in parts) > by_part["feed-forward"]

    attention = PARTS[:2]
    return BlockCost(
        d_model=d,
        context=context,
        parameters=parameters(d),
        parameters_counted=parameters_counted(block),
        flops=flops(d, context),
        flops_counted=flops_counted(block, d, context),
        lengths=lengths,
        attention_share=[share(tokens) for tokens in lengths],
        overtakes={
            "scores and means": shortest(lambda tokens: more(tokens, "scores and means"), longest),
            "all of attention": shortest(lambda tokens: more(tokens, *attention), longest),
        },
        # 4 T d > 16 d^2, and 8 d^2 + 4 T d > 16 d^2
        overtakes_formula={"scores and means": 4 * d + 1, "all of attention": 2 * d + 1},
    )


def main(config: Config) -> Results:
    models = {name: measure(*sizes, config.longest) for name, sizes in MODELS.items()}
    for name, cost in models.items():
        print(f"{name}: a block of d_model {cost.d_model}, in a text of {cost.context} tokens")
        for part in PARTS:
            print(f"  {part:<18}{cost.parameters[part]:>10,}{cost.parameters_counted[part]:>10,} parameters", end="")
            print(f"{cost.flops[part]:>14,.0f}{cost.flops_counted[part]:>14,.0f} operations a token")
        print(f"  attention overtakes feed-forward at {cost.overtakes}, by formula {cost.overtakes_formula}")
    return Results(models)


def plot(results: Results) -> Figure:
    """Draw the share of each part in the operations by the length of the text; dots are counted."""
    figure, fields = new_figure(width=9.0, height=3.6, columns=len(results.models))
    for axes, (name, cost) in zip(fields, results.models.items(), strict=True):
        lengths = cost.lengths
        table = [flops(cost.d_model, tokens) for tokens in lengths]
        shares = [[by_part[part] / sum(by_part.values()) for by_part in table] for part in PARTS[:3]]
        axes.stackplot(lengths, shares, alpha=0.7)
        axes.plot(lengths, cost.attention_share, "k.")
        axes.axvline(cost.context, color="black", linestyle="--", linewidth=1)
        axes.text(cost.context * 0.9, 0.94, "context", ha="right", va="top", fontsize=9)
        axes.set(xscale="log", xlabel="tokens of the text", ylim=(0, 1), xlim=(lengths[0], lengths[-1]))
        axes.text(lengths[1], 0.14, "projections")
        axes.text(lengths[1], 0.6, "feed-forward")
        axes.text(lengths[-2], shares[0][-2] + 0.3, "scores\nand means", ha="right")
        axes.set_title(f"{TITLES[name]}, d_model {cost.d_model}")
    fields[0].set_ylabel("share of a block's operations")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
