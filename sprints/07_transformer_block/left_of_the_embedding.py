"""What is left of the embedding at the top of a stack, with the norm before each part or behind each addition?

    uv run sprints/07_transformer_block/left_of_the_embedding.py
    uv run sprints/07_transformer_block/left_of_the_embedding.py --parts 200

Parts that add noise of variance 1 stand for untrained ones: a calculation that fits on paper, checked by drawing the
numbers. Theory: notes/05_pre_or_post.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    parts: Annotated[int, Field(ge=1, le=1000)] = 24  # parts of the stack, two for each block
    d_model: Annotated[int, Field(ge=2, le=MOST)] = 20_000  # features; many, so that chance plays a small part


@dataclass(frozen=True)
class Results:
    """By placement of the norm, after 0, 1, 2, ... parts.

    Args:
        embedding: factor of the embedding in the stream.
        size: root mean square of the stream.
        share: of the embedding in the variance of the stream, by the calculation.
        share_drawn: the same, of drawn numbers: the squared correlation of the stream with the embedding.
    """

    embedding: dict[str, list[float]]
    size: dict[str, list[float]]
    share: dict[str, list[float]]
    share_drawn: dict[str, list[float]]


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    results = Results({}, {}, {}, {})
    for kind in ("pre", "post"):
        embedding = torch.randn(config.d_model, generator=generator, dtype=torch.float64)
        stream, factor, drawn, factors, sizes = embedding, 1.0, [1.0], [1.0], [1.0]
        for _ in range(config.parts):
            stream = stream + torch.randn(config.d_model, generator=generator, dtype=torch.float64)
            if kind == "post":
                # Two parts of variance 1 have variance 2 together, and the norm divides by its root.
                stream, factor = functional.layer_norm(stream, stream.shape), factor / 2**0.5
            drawn.append(torch.corrcoef(torch.stack([stream, embedding]))[0, 1].square().item())
            factors.append(factor)
            sizes.append(stream.square().mean().sqrt().item())
        results.embedding[kind], results.size[kind], results.share_drawn[kind] = factors, sizes, drawn
        number = range(config.parts + 1)
        results.share[kind] = [1 / (1 + count) if kind == "pre" else 0.5**count for count in number]
        print(f"{kind}: the embedding times {factors[-1]:.2g} in a stream of size {sizes[-1]:.2f}; ", end="")
        print(f"share of the variance {results.share[kind][-1]:.2g}, drawn {drawn[-1]:.2g}")
    return results


def plot(results: Results) -> Figure:
    """Draw the size of the stream and the share of the embedding in it, by the parts that it has passed."""
    figure, (size, share) = new_figure(width=8.6, height=3.4, columns=2)
    for colour, kind in enumerate(results.share):
        size.plot(results.size[kind], color=f"C{colour}")
        size.text(
            len(results.size[kind]) - 1, results.size[kind][-1] + 0.15, f"{kind}-norm", color=f"C{colour}", ha="right"
        )
        share.semilogy(results.share[kind], color=f"C{colour}", label=f"{kind}-norm")
    share.legend()
    size.set(xlabel="parts passed", ylabel="size of the stream", ylim=(0, 1.12 * max(results.size["pre"])))
    share.set(xlabel="parts passed", ylabel="share of the embedding in the variance")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
