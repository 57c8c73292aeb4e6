"""How does attention alone learn to copy? Two layers build an induction head, which one layer cannot.

    uv run sprints/06_multi_head_attention/induction.py
    uv run sprints/06_multi_head_attention/induction.py --move-positions --layers 2 --seeds 5

A row is a separator, distinct random tokens, the separator again, and the same tokens again. The first copy cannot be
guessed, the second one follows from the first. Its place varies, so that counting positions does not help.
Theory: notes/07_induction.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import tqdm

from attention_study.attention_only import AttentionOnly
from attention_study.head_scores import Curve, Head, heads_of, measure, token_losses
from attention_study.repeated_rows import Rows, check_tokens, loss_of_the_set, repeated_rows
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

PRESETS = {
    "move_positions": {"layers": (2,), "move_positions": True, "seeds": 5},
}
# What training ends at; the optimum, chance and the rest are formulas.
TOLERANCE = {"runs.*": TRAINED, "maps.*": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: tuple[PositiveInt, ...] = (1, 2)  # attention layers of each model
    heads: PositiveInt = 2  # heads of a layer
    d_model: PositiveInt = 64  # features of a token
    vocab: PositiveInt = 24  # distinct tokens, without the separator
    shortest: PositiveInt = 6  # least tokens of the pattern
    longest: PositiveInt = 12  # most tokens of the pattern
    move_positions: bool = False  # add positions to the tokens, so that layers may pass them on
    steps: PositiveInt = 800  # optimizer steps
    batch_size: PositiveInt = 32  # rows of a batch
    learning_rate: PositiveFloat = 1e-3  # learning rate of AdamW
    measure_every: PositiveInt = 20  # steps between measurements
    seeds: PositiveInt = 3  # runs of each depth, with seeds from --seed on

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        check_tokens(self.vocab, self.longest)
        if self.shortest > self.longest:
            raise ValueError(
                f"--shortest must be at most --longest; got {self.shortest} and {self.longest}: take a shorter one"
            )
        if self.measure_every > self.steps:
            raise ValueError(
                f"something must be measured; got --measure-every {self.measure_every} of --steps {self.steps}: "
                "measure more often or train longer"
            )


@dataclass(frozen=True)
class TrainedCopier:
    """The curves of a training, the losses at its end, and the heads of the model."""

    curves: list[Curve]
    first_copy: float
    second_copy: float
    heads: list[Head]


@dataclass(frozen=True)
class Results:
    steps: list[int]
    runs: dict[str, list[TrainedCopier]]
    optimum_first_copy: float
    knows_the_set: float
    chance: float
    maps: dict[str, list[list[float]]]


def loss_function(model: nn.Module, batch: Rows) -> tuple[Tensor, int]:
    """Return the summed loss of both copies and the number of their targets."""
    losses, first, second = token_losses(model, batch)
    scored = first | second
    return losses[scored].sum(), int(scored.sum())


def train(config: Config, layers: int, seed: int) -> tuple[TrainedCopier, AttentionOnly, Rows]:
    """Train one model; return what was measured on held-out rows, the model, and these rows."""
    device, generator = pick_device(config.device), seed_everything(seed)
    tokens = 2 * config.longest + 2  # two separators and two copies
    model = AttentionOnly(
        config.vocab + 1, tokens, config.d_model, config.heads, layers, move_positions=config.move_positions
    ).to(device)
    data = repeated_rows(config.vocab, config.shortest, config.longest, config.batch_size, generator, device)
    held_out = Rows(*(torch.cat(parts) for parts in zip(*(next(data) for _ in range(8)), strict=True)))
    optimizers = make_optimizers(model, learning_rate=config.learning_rate)
    steps = train_steps(model, data, loss_function=loss_function, optimizers=optimizers, steps=config.steps)
    curves = [
        measure(model, held_out)
        for step, _ in tqdm(steps, total=config.steps, desc=f"layers {layers}, seed {seed}")
        if step % config.measure_every == 0
    ]
    last = curves[-1]
    return TrainedCopier(curves, last.first_copy, last.second_copy, heads_of(model, held_out)), model, held_out


def maps_of_strongest(copier: TrainedCopier, model: AttentionOnly, rows: Rows) -> dict[str, list[list[float]]]:
    """Return where the strongest head of each kind looks in the first of the rows, (queries, keys)."""
    with torch.no_grad():
        maps = model(rows.tokens[:1, : 2 * int(rows.periods[0]) + 2])[1][:, 0]  # (layers, heads, queries, keys)
    strongest = {
        kind: max(copier.heads, key=lambda head: vars(head)[kind]) for kind in ("previous_token", "prefix_matching")
    }
    return {
        kind: maps[head.layer, head.head].cpu().double().round(decimals=3).tolist() for kind, head in strongest.items()
    }


def main(config: Config) -> Results:
    copiers: dict[str, list[TrainedCopier]] = {}
    for layers in config.layers:
        trained = [train(config, layers, config.seed + index) for index in range(config.seeds)]
        copiers[str(layers)] = [copier for copier, _, _ in trained]
        for copier in copiers[str(layers)]:
            print(f"layers {layers}: first copy {copier.first_copy:.3f}, second copy {copier.second_copy:.4f}")
            for head in copier.heads:
                print(f"  layer {head.layer + 1}, head {head.head + 1}: one back {head.previous_token:.2f}, ", end="")
                print(f"prefix {head.prefix_matching:.2f}, second copy without it {head.loss_without:.3f}")
    periods = range(config.shortest, config.longest + 1)
    results = Results(
        steps=list(range(config.measure_every, config.steps + 1, config.measure_every)),
        runs=copiers,
        optimum_first_copy=sum(math.log(config.vocab - i) for p in periods for i in range(p)) / sum(periods),
        knows_the_set=loss_of_the_set(config.shortest, config.longest),
        chance=math.log(config.vocab),
        maps=maps_of_strongest(*trained[0]),  # of the first run of the deepest model
    )
    print(f"chance {results.chance:.3f}, optimum of the first copy {results.optimum_first_copy:.3f}, of the second 0")
    print(f"who knows which tokens are left, but not their order: {results.knows_the_set:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the loss of the second copy, the scores beside it, and the maps of the two heads that make the copy."""
    figure, axes = new_figure(11.0, 7.6, rows=2, columns=2)
    for colour, (layers, copiers) in enumerate(results.runs.items()):
        for index, copier in enumerate(copiers):
            losses = [curve.second_copy for curve in copier.curves]
            label = f"{layers} layer{'s' * (layers != '1')}" if index == 0 else None
            axes[0, 0].plot(results.steps, losses, color=f"C{colour}", label=label)
    axes[0, 0].axhline(results.chance, color="grey", linestyle=":", label="chance")
    axes[0, 0].axhline(results.knows_the_set, color="grey", linestyle="--", label="knows the set, not the order")
    axes[0, 0].set(xlabel="step", ylabel="nats per token", title="second copy (optimum 0)", ylim=(-0.05, None))
    axes[0, 0].legend()
    deepest = list(results.runs.values())[-1][0]
    for kind in ("previous_token", "prefix_matching"):
        best = [max(max(layer) for layer in vars(curve)[kind]) for curve in deepest.curves]
        axes[0, 1].plot(results.steps, best, label=f"strongest {kind.replace('_', ' ')} head")
    axes[0, 1].set(xlabel="step", ylabel="mean attention weight", title="the two heads of one run", ylim=(0, 1.02))
    axes[0, 1].legend()
    for panel, (kind, weights) in zip(axes[1], results.maps.items(), strict=True):
        picture = panel.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        figure.colorbar(picture, ax=panel, label="weight", shrink=0.8)
        panel.set(title=f"{kind.replace('_', ' ')} head", xlabel="key", ylabel="query")
        panel.set(xticks=range(0, len(weights), 5), yticks=range(0, len(weights), 5))
        panel.grid(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
