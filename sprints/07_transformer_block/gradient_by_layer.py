"""Why does post-norm need a warm-up? How large is the first gradient of each layer, before any training?

    uv run sprints/07_transformer_block/gradient_by_layer.py

Xiong et al. (2020, theorem 1) expect the gradient of the last feed-forward network not to depend on the depth with
post-norm, and to shrink as 1 / sqrt(depth) with pre-norm, because the last norm divides by the size of the stream. So
that size is measured, too. Theory: notes/05_pre_or_post.md
"""

from dataclasses import dataclass
from statistics import mean

import torch
from matplotlib.figure import Figure

from block_study.deep_stacks import PredictTheFirst, first_token_loss, random_rows
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Even, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything

PLACEMENTS = ("pre", "post")


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: tuple[PositiveInt, ...] = (3, 6, 12, 24, 48)  # blocks of a stack
    vocab: AtLeastTwo = 64  # distinct tokens
    batch_size: PositiveInt = 16  # rows of a batch
    tokens: AtLeastTwo = 32  # tokens of a row
    d_model: Even = 64  # features of a token
    heads: PositiveInt = 4  # attention heads
    runs: PositiveInt = 5  # stacks of each kind and depth, each with its own seed

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if len(set(self.depths)) < 2:
            raise ValueError(f"a power law needs two depths or more; got {self.depths}: give more --depths")


@dataclass(frozen=True)
class Results:
    """Frobenius norms of the gradient of each feed-forward network's second matrix, at initialisation.

    Args:
        by_layer: by placement of the norm and depth, the mean over runs for each layer, from the first on.
        last: of the last layer, by depth, run by run.
        exponent: of the depth, in a power law fitted to the last layer; the theory says -0.5 for pre and 0 for post.
        between: the exponent between each depth and the next.
        stream: root mean square of a feature after the last block, by depth, mean over runs.
        stream_exponent: of the depth, in power laws fitted to these sizes.
    """

    depths: list[int]
    by_layer: dict[str, dict[str, list[float]]]
    last: dict[str, list[list[float]]]
    exponent: dict[str, float]
    between: dict[str, list[float]]
    stream: dict[str, list[float]]
    stream_exponent: dict[str, float]


def gradient_norms(config: Config, kind: str, depth: int, seed: int) -> tuple[list[float], float]:
    """Return the norm of the gradient of each layer, and the size of the stream after the last block."""
    generator = seed_everything(seed)
    sizes = {name: getattr(config, name) for name in ("vocab", "tokens", "d_model", "heads")}
    model = PredictTheFirst(kind, depth, **sizes)
    sizes_seen: list[float] = []
    model.stack.norm.register_forward_pre_hook(lambda _norm, given: sizes_seen.append(rms(given[0])))
    loss, places = first_token_loss(model, next(random_rows(config.vocab, config.batch_size, config.tokens, generator)))
    matrices = [block.get_parameter("feed_forward.contract.weight") for block in model.stack.blocks]
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss / places, matrices)], sizes_seen[0]


def rms(x: torch.Tensor) -> float:
    return x.detach().square().mean().sqrt().item()


def fitted_exponent(depths: list[int], values: list[float]) -> float:
    """Return the slope of log(value) over log(depth)."""
    x, y = (torch.tensor(numbers, dtype=torch.float64).log() for numbers in (depths, values))
    return ((x - x.mean()) @ (y - y.mean()) / (x - x.mean()).square().sum()).item()


def main(config: Config) -> Results:
    results = Results(list(config.depths), {}, {}, {}, {}, {}, {})
    for kind in PLACEMENTS:
        measured = [
            [gradient_norms(config, kind, depth, config.seed + index) for index in range(config.runs)]
            for depth in config.depths
        ]
        norms_by_depth = [[norms for norms, _ in runs] for runs in measured]
        results.stream[kind] = [mean(size for _, size in runs) for runs in measured]
        results.stream_exponent[kind] = fitted_exponent(results.depths, results.stream[kind])
        results.by_layer[kind] = {
            str(depth): list(map(mean, zip(*runs, strict=True)))
            for depth, runs in zip(config.depths, norms_by_depth, strict=True)
        }
        results.last[kind] = [[norms[-1] for norms in runs] for runs in norms_by_depth]
        averages = list(map(mean, results.last[kind]))
        results.exponent[kind] = fitted_exponent(results.depths, averages)
        results.between[kind] = [
            fitted_exponent(results.depths[i : i + 2], averages[i : i + 2]) for i in range(len(averages) - 1)
        ]
        for depth, runs in zip(config.depths, results.last[kind], strict=True):
            first = results.by_layer[kind][str(depth)][0]
            print(f"{kind:<5}{depth:>3} blocks: first layer {first:.4f}, last {min(runs):.4f} to {max(runs):.4f}")
        print(f"{kind:<5}the last one goes as depth ^ {results.exponent[kind]:.2f}", end="; from depth to depth ")
        print(", ".join(f"{exponent:.2f}" for exponent in results.between[kind]))
        sizes = ", ".join(f"{size:.2f}" for size in results.stream[kind])
        print(f"{kind:<5}size of the stream at the top {sizes}: depth ^ {results.stream_exponent[kind]:.2f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the gradient of each layer in stacks of every depth, and that of the last layer by depth."""
    figure, (within, last) = new_figure(width=9.0, height=4.0, columns=2)
    for colour, kind in enumerate(results.by_layer):
        for shade, (depth, norms) in enumerate(results.by_layer[kind].items()):
            alpha = 0.35 + 0.65 * shade / max(1, len(results.depths) - 1)
            layers = range(1, len(norms) + 1)
            within.loglog(layers, norms, "o-", markersize=3, color=f"C{colour}", alpha=alpha)
            if kind == "pre":
                within.annotate(
                    depth,
                    (len(norms), norms[-1]),
                    (0, -6),
                    textcoords="offset points",
                    va="top",
                    ha="center",
                    fontsize=9,
                )
        averages = [mean(runs) for runs in results.last[kind]]
        low = [m - min(runs) for m, runs in zip(averages, results.last[kind], strict=True)]
        high = [max(runs) - m for m, runs in zip(averages, results.last[kind], strict=True)]
        last.errorbar(results.depths, averages, [low, high], fmt="o-", color=f"C{colour}", capsize=3)
        last.text(
            results.depths[1], averages[1] * (1.22 if kind == "post" else 0.72), f"{kind}-norm", color=f"C{colour}"
        )
    # The slope of -1/2 that theory expects of pre-norm in the end, drawn below its last two depths.
    ends = results.depths[-2:]
    start = 0.72 * mean(results.last["pre"][-2])
    last.plot(ends, [start, start * (ends[0] / ends[1]) ** 0.5], "k--", linewidth=1)
    last.text(ends[0], start * 0.72, "slope −½", ha="center", fontsize=9)
    within.set(xlabel="layer", title="every layer, in stacks of several depths", ylabel="norm of the gradient")
    last.set(xlabel="blocks of the stack", title="the last layer")
    last.set(xscale="log", yscale="log")
    for axes in (within, last):
        axes.set_ylim(0.1, 1.5)
        axes.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
        axes.set_xticks([1, *results.depths] if axes is within else results.depths)
        axes.set_xticklabels([str(int(tick)) for tick in axes.get_xticks()])
        axes.minorticks_off()
    within.text(1.1, 1.2, "post-norm", color="C1")
    within.text(1.1, 0.42, "pre-norm", color="C0")
    return figure


if __name__ == "__main__":
    # A first gradient of many layers is a product of many sums, whose order differs between processors.
    run(main, Config, plot=plot, tolerance={"*": Tolerance(relative=1e-3)})
