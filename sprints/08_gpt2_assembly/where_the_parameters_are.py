"""Where are GPT-2's 124 million parameters, and what does a token cost?

    uv run sprints/08_gpt2_assembly/where_the_parameters_are.py

Counts are made three ways: by formula, by the module, and (operations) by PyTorch's own counter.
Theory: notes/07_parameters_memory_operations.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.utils.flop_counter import FlopCounterMode

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig

SIZES = {
    "gpt2": GPTConfig(),
    "gpt2-medium": GPTConfig(layers=24, heads=16, d_model=1024),
    "gpt2-large": GPTConfig(layers=36, heads=20, d_model=1280),
    "gpt2-xl": GPTConfig(layers=48, heads=25, d_model=1600),
}
Tokens = Annotated[int, Field(ge=1, le=1024)]  # of the context


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: Tokens = 1024  # tokens of the sequence whose operations are counted


@dataclass(frozen=True)
class SizeCosts:
    """Parameters by part, shares of the embeddings, memory of the weights, and operations of a token, of one size."""

    parts: dict[str, int]
    parameters: int
    embedding_share: float
    embedding_share_untied: float
    weights_gb: float
    cache_mb: float
    forward_flops_per_token: float
    counted_flops_per_token: float
    training_flops_per_token: float


@dataclass(frozen=True)
class Results:
    sizes: dict[str, SizeCosts]


def count_parts(config: GPTConfig) -> dict[str, int]:
    """Return the parameters of each part, by formula."""
    d, layers = config.d_model, config.layers
    return {
        "token embedding (and head)": config.vocab_size * d,
        "positions": config.context * d,
        "attention": layers * (4 * d * d + 4 * d),  # query, key, value and output
        "feed-forward": layers * (8 * d * d + 5 * d),  # d to 4d and back
        "norms": layers * 4 * d + 2 * d,
    }


def forward_flops(config: GPTConfig, tokens: int) -> float:
    """Return the operations of a forward pass per token: two for each weight that multiplies, and the attention.

    Scores and weighted means cost 2 x tokens x d_model each in every layer (no saving is made for the causal mask).
    """
    d, layers = config.d_model, config.layers
    return 2 * (12 * layers * d * d + config.vocab_size * d) + layers * 4 * tokens * d


def counted_flops(config: GPTConfig, tokens: int) -> float:
    """Return the same as PyTorch counts it, on tensors without data."""
    with torch.device("meta"):
        model = GPT(config).eval()
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            model(torch.zeros(1, tokens, dtype=torch.long))
    return counter.get_total_flops() / tokens


def measure(config: GPTConfig, tokens: int) -> SizeCosts:
    parts = count_parts(config)
    parameters = sum(parts.values())
    head = config.vocab_size * config.d_model
    embeddings = head + parts["positions"]
    return SizeCosts(
        parts=parts,
        parameters=parameters,
        embedding_share=embeddings / parameters,
        # A head of its own is a second matrix of the same size, and makes the model larger, too.
        embedding_share_untied=(embeddings + head) / (parameters + head),
        weights_gb=4 * parameters / 1e9,
        cache_mb=4 * 2 * config.layers * config.d_model * tokens / 1e6,
        forward_flops_per_token=forward_flops(config, tokens),
        counted_flops_per_token=counted_flops(config, tokens),
        training_flops_per_token=3 * forward_flops(config, tokens),
    )


def main(config: Config) -> Results:
    sizes = {name: measure(size, config.tokens) for name, size in SIZES.items()}
    for name, size in sizes.items():
        print(f"{name:<12} {size.parameters:>13,} parameters, {size.weights_gb:.1f} GB of float32 weights, ", end="")
        print(f"{size.forward_flops_per_token / 1e6:,.0f} MFLOP a token")
        for part, count in size.parts.items():
            print(f"    {part:<28}{count:>14,}{count / size.parameters:>8.1%}")
    return Results(sizes)


def plot(results: Results) -> Figure:
    """Draw the share of each part by model size."""
    figure, axes = new_figure()
    left = [0.0] * len(results.sizes)
    for part in next(iter(results.sizes.values())).parts:
        shares = [size.parts[part] / size.parameters for size in results.sizes.values()]
        axes.barh(list(results.sizes), shares, left=left, label=part)
        left = [before + share for before, share in zip(left, shares, strict=True)]
    axes.set(xlabel="share of the parameters", xlim=(0, 1))
    axes.invert_yaxis()
    axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
