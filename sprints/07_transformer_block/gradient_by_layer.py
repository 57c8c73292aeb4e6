"""Why does post-norm need a warm-up? How large is the first gradient of each layer, before any training?

    uv run sprints/07_transformer_block/gradient_by_layer.py

Xiong et al. (2020, theorem 1) expect the gradient of the last feed-forward network not to depend on the depth with
post-norm, and to shrink as 1 / sqrt(depth) with pre-norm. Theory: notes/03_pre_or_post.md
"""

from dataclasses import dataclass
from statistics import mean

import torch
from matplotlib.figure import Figure

from block_study.deep_stacks import NameTheFirst, first_token_loss, random_rows
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
    """

    depths: list[int]
    by_layer: dict[str, dict[str, list[float]]]
    last: dict[str, list[list[float]]]
    exponent: dict[str, float]


def gradient_norms(config: Config, kind: str, depth: int, seed: int) -> list[float]:
    generator = seed_everything(seed)
    sizes = {name: getattr(config, name) for name in ("vocab", "tokens", "d_model", "heads")}
    model = NameTheFirst(kind, depth, **sizes)
    loss, places = first_token_loss(model, next(random_rows(config.vocab, config.batch_size, config.tokens, generator)))
    matrices = [block.get_parameter("feed_forward.contract.weight") for block in model.stack.blocks]
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss / places, matrices)]


def fitted_exponent(depths: list[int], values: list[float]) -> float:
    """Return the slope of log(value) over log(depth)."""
    x, y = (torch.tensor(numbers, dtype=torch.float64).log() for numbers in (depths, values))
    return ((x - x.mean()) @ (y - y.mean()) / (x - x.mean()).square().sum()).item()


def main(config: Config) -> Results:
    results = Results(list(config.depths), {}, {}, {})
    for kind in PLACEMENTS:
        norms_by_depth = [
            [gradient_norms(config, kind, depth, config.seed + index) for index in range(config.runs)]
            for depth in config.depths
        ]
        results.by_layer[kind] = {
            str(depth): list(map(mean, zip(*runs, strict=True)))
            for depth, runs in zip(config.depths, norms_by_depth, strict=True)
        }
        results.last[kind] = [[norms[-1] for norms in runs] for runs in norms_by_depth]
        results.exponent[kind] = fitted_exponent(results.depths, list(map(mean, results.last[kind])))
        for depth, runs in zip(config.depths, results.last[kind], strict=True):
            first = results.by_layer[kind][str(depth)][0]
            print(f"{kind:<5}{depth:>3} blocks: first layer {first:.4f}, last {min(runs):.4f} to {max(runs):.4f}")
        print(f"{kind:<5}the last one goes as depth ^ {results.exponent[kind]:.2f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the gradient of each layer by its place in the stack, and that of the last layer by depth."""
    figure, (within, last) = new_figure(width=9.5, height=4.4, columns=2)
    for colour, kind in enumerate(results.by_layer):
        for shade, (depth, norms) in enumerate(results.by_layer[kind].items()):
            places = [layer / (len(norms) - 1) if len(norms) > 1 else 1.0 for layer in range(len(norms))]
            alpha = 0.3 + 0.7 * shade / max(1, len(results.depths) - 1)
            within.semilogy(places, norms, color=f"C{colour}", alpha=alpha, label=f"{kind}, {depth} blocks")
        averages = [mean(runs) for runs in results.last[kind]]
        spread = [[m - min(r) for m, r in zip(averages, results.last[kind], strict=True)]]
        spread += [[max(r) - m for m, r in zip(averages, results.last[kind], strict=True)]]
        label = f"{kind}: depth ^ {results.exponent[kind]:.2f}"
        last.errorbar(results.depths, averages, spread, fmt="o-", color=f"C{colour}", capsize=3, label=label)
    within.set(
        xlabel="place in the stack (0: first block, 1: last)", ylabel="norm of the gradient", title="every layer"
    )
    last.set(xscale="log", yscale="log", xlabel="blocks", title="the last layer")
    last.set_xticks(results.depths, [str(depth) for depth in results.depths])
    last.minorticks_off()
    last.legend()
    figure.legend(*within.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
