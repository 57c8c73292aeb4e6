"""What does a residual connection do for a gradient on its way down through 1 to 64 blocks?

    uv run sprints/07_transformer_block/residual.py

Stacks at initialisation, with and without the additions and the norms. A gradient of length 1 is handed in at the top;
its length is measured at every block. Forwards: how different are the tokens still from each other?
Theory: notes/02_the_residual_stream.md
"""

from dataclasses import dataclass
from statistics import geometric_mean
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from block_study.deep_stacks import KINDS, Stack
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything

LABELS = {"pre": "pre-norm", "post": "post-norm", "no norm": "additions only", "no addition": "norms only"}
Depth = Annotated[int, Field(ge=1, le=256)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: tuple[Depth, ...] = (1, 2, 4, 8, 16, 32, 64)  # blocks of a stack
    batch: PositiveInt = 4  # rows
    tokens: AtLeastTwo = 16  # tokens of a row
    d_model: AtLeastTwo = 32  # features of a token
    heads: PositiveInt = 4  # attention heads
    runs: PositiveInt = 5  # stacks of each kind and depth, each with its own seed

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Results:
    """Of each kind of stack, at initialisation.

    Args:
        depths: blocks of a stack.
        at_input: length of the gradient at the stack's input, by depth, run by run.
        by_block: in the deepest stack the length at the input of each block, from the first on; geometric mean of runs.
        difference: share of the tokens' squared length that tells them apart, at the top, by depth, mean of runs.
        per_block: the factor by which one block changes the length: the slope over the depths of 4 and more.
    """

    depths: list[int]
    at_input: dict[str, list[list[float]]]
    by_block: dict[str, list[float]]
    difference: dict[str, list[float]]
    per_block: dict[str, float]


def difference_of_tokens(x: Tensor) -> float:
    """Return which share of the tokens' squared length is not common to all tokens of their row: 0 if all are equal."""
    return ((x - x.mean(dim=1, keepdim=True)).square().sum() / x.square().sum()).item()


def measure(config: Config, kind: str, depth: int, seed: int) -> tuple[list[float], float]:
    """Return the gradient's length at the input of each block, and the difference of the tokens at the top."""
    generator = seed_everything(seed)
    # Without norms the numbers leave the range of float32.
    stack = Stack(kind, depth, config.d_model, config.heads).double()
    shape = (config.batch, config.tokens, config.d_model)
    x, direction = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    # Backwards the fused kernel computes weights again, as exp(score - log of the sum). Without norms scores reach
    # 1e17, whose last digit is above 10, and such an exponential is anything: only the plain formula is right there.
    with sdpa_kernel(SDPBackend.MATH):
        *states, end = stack.states(x.requires_grad_())
        gradients = torch.autograd.grad((end * direction).sum() / direction.norm(), states[:-1])
    return [gradient.norm().item() for gradient in gradients], difference_of_tokens(states[-1].detach())


def factor_per_block(depths: list[int], lengths: list[float]) -> float:
    """Return by which factor a block changes the length, fitted to its logarithm over the depths of 4 and more."""
    deep = [(depth, length) for depth, length in zip(depths, lengths, strict=True) if depth >= min(4, depths[-1])]
    x, y = torch.tensor(deep, dtype=torch.float64).unbind(1)
    x, y = x - x.mean(), y.log() - y.log().mean()
    return ((x * y).sum() / x.square().sum().clamp(min=1e-12)).exp().item()


def main(config: Config) -> Results:
    at_input: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    by_block: dict[str, list[float]] = {}
    difference: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for kind in tqdm(KINDS, desc="kinds"):
        for depth in config.depths:
            runs = [measure(config, kind, depth, config.seed + index) for index in range(config.runs)]
            at_input[kind].append([lengths[0] for lengths, _ in runs])
            difference[kind].append(sum(share for _, share in runs) / config.runs)
            lengths_by_run = [lengths for lengths, _ in runs]
            by_block[kind] = [geometric_mean(lengths) for lengths in zip(*lengths_by_run, strict=True)]
    means = {kind: [geometric_mean(lengths) for lengths in by_depth] for kind, by_depth in at_input.items()}
    depths = list(config.depths)
    per_block = {kind: factor_per_block(depths, lengths) for kind, lengths in means.items()}
    for kind in KINDS:
        print(f"{kind:<12} gradient at the input: {' '.join(f'{length:.1e}' for length in means[kind])}", end="")
        print(f"  x {per_block[kind]:.3f} a block; tokens differ: {' '.join(f'{d:.1e}' for d in difference[kind])}")
    return Results(depths, at_input, by_block, difference, per_block)


def plot(results: Results) -> Figure:
    """Draw the length of the gradient by depth, the same enlarged, and how far tokens differ."""
    figure, (by_depth, enlarged, tokens) = new_figure(width=10.2, height=3.7, columns=3)
    for colour, (kind, runs) in enumerate(results.at_input.items()):
        style = {"color": f"C{colour}", "marker": "os^Dv"[colour], "markersize": 4, "label": LABELS.get(kind, kind)}
        middle = [geometric_mean(lengths) for lengths in runs]
        for axes in (by_depth, enlarged):
            axes.loglog(results.depths, middle, **style)
            axes.fill_between(results.depths, *zip(*map(_range, runs), strict=True), color=f"C{colour}", alpha=0.2)
        tokens.loglog(results.depths, results.difference[kind], **style)
    by_depth.set(xlabel="blocks", ylabel="length of the gradient at the input", title="backwards")
    enlarged.set(xlabel="blocks", title="the same, enlarged", ylim=(0.004, 250))
    tokens.set(xlabel="blocks", ylabel="share that tells tokens apart", title="forwards")
    tokens.axhspan(1e-33, 1e-30, color="0.9")
    tokens.text(results.depths[0], 1e-29, "rounding of float64", fontsize=9)
    for axes in (by_depth, enlarged, tokens):
        axes.set_xticks(results.depths, [str(depth) for depth in results.depths])
        axes.minorticks_off()
    figure.legend(*by_depth.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _range(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


if __name__ == "__main__":
    # Lengths from 1e-30 to 1e+30, so only their ratios count.
    lengths = Tolerance(relative=1e-3)
    run(main, Config, plot=plot, tolerance={"at_input.*": lengths, "by_block.*": lengths})
