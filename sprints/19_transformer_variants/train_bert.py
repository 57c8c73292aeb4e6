"""How near does a BERT come to the best possible answer to one hole in a recipe, and what is it that it misses?

    uv run sprints/19_transformer_variants/train_bert.py
    uv run sprints/19_transformer_variants/train_bert.py --preset full
    uv run sprints/19_transformer_variants/train_bert.py --preset hour
    uv run sprints/19_transformer_variants/train_bert.py --seconds 60

It learns from many holes a recipe, and ever fewer. It is tested on one, where the grammar gives the exact distribution
of the missing token. The default trains for three minutes, `--preset full` for five. Theory:
notes/05_what_a_hole_is_worth.md
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from shared.lab.compare import EXACT, ROUNDING, TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveFraction, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.bert import BertConfig, MaskedLanguageModel
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.token_kinds import KINDS
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from variants.cookbook_holes import HoleSet, draw_holes, masked_batches
from variants.filling import MaskedBatch, hole_loss, nats_of_holes

PRESETS = {"full": {"seconds": 300.0}, "hour": {"seconds": 3600.0, "d_model": 192, "measurements": 24}}
WARMUP = 50  # steps until the learning rate is at its peak


@dataclass(frozen=True)
class Config(ScriptConfig):
    seconds: PositiveFloat = 170.0  # how long to train
    layers: PositiveInt = 4  # blocks
    heads: PositiveInt = 4  # heads of a block
    d_model: PositiveInt = 128  # features of a token
    first_share: PositiveFraction = 0.4  # of a recipe's tokens that are hidden at the beginning
    last_share: PositiveFraction = 0.05  # of them at the end
    batch_size: PositiveInt = 16  # recipes of a batch
    learning_rate: PositiveFloat = 3e-3  # peak learning rate of AdamW
    muon_learning_rate: PositiveFloat = 0.02  # peak learning rate of Muon: matrices of the blocks
    vocab_size: PositiveInt = 2048  # distinct tokens, without the mask token
    context: PositiveInt = 256  # the most tokens of a recipe
    recipes: PositiveInt = 128  # test recipes
    holes: PositiveInt = 24  # holes in each of them, one at a time
    measurements: PositiveInt = 12  # of the loss on validation recipes, while it trains

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Curve:
    """Recipes read, and the loss on one hole above its optimum, in nats."""

    recipes: list[int]
    above: list[float]


@dataclass(frozen=True)
class Results:
    """Nats per hole, and the parts of each kind of token: the parts add up. `share` is of the holes."""

    parameters: int
    recipes: int
    optimum: float
    loss: float
    above_the_optimum: float
    share: dict[str, float]
    optimum_kinds: dict[str, float]
    loss_kinds: dict[str, float]
    curve: Curve


def parts(holes: HoleSet, nats: Tensor) -> dict[str, float]:
    """Return the part of each kind of token in the mean over all holes."""
    return {
        kind: sum(value for value, its in zip(nats.tolist(), holes.kinds, strict=True) if its == kind) / len(nats)
        for kind in KINDS
    }


class Clock:
    """How much of the budget is used up, from 0 to 1; the rate and the share of holes follow it."""

    def __init__(self, config: Config) -> None:
        self.config, self.began = config, time.perf_counter()

    def used(self) -> float:
        return min(1.0, (time.perf_counter() - self.began) / self.config.seconds)

    def rate(self, step: int) -> float:
        return min(1.0, (step + 1) / WARMUP) * (1 - self.used())

    def share(self) -> float:
        first, last = self.config.first_share, self.config.last_share
        return first + (last - first) * self.used()


def train(config: Config, corpus: CookbookCorpus, validation: HoleSet) -> tuple[MaskedLanguageModel, Curve, int]:
    """Train within the seconds; return the model, what was measured meanwhile, and the recipes it read."""
    generator, end, mask_token = seed_everything(config.seed), corpus.tokenizer.end_token, corpus.tokenizer.vocab_size
    size = (mask_token + 1, config.context, config.layers, config.heads, config.d_model)
    model, curve, clock = MaskedLanguageModel(BertConfig(*size, segments=1), generator), Curve([], []), Clock(config)
    texts = corpus.train_batches(config.batch_size, config.context, generator)

    def batches() -> Iterator[MaskedBatch]:
        for batch in texts:
            yield from masked_batches(iter([batch]), end, mask_token, clock.share(), generator)

    optimizers = make_optimizers(
        model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate
    )
    bar, step = tqdm(total=round(config.seconds), unit="s"), 0
    for step, _ in train_steps(
        model, batches(), loss_function=hole_loss, optimizers=optimizers, steps=10**9, schedule=clock.rate
    ):
        bar.update(round(clock.used() * config.seconds) - bar.n)
        if clock.used() >= (len(curve.above) + 1) / config.measurements:
            losses = nats_of_holes(model, validation.batches(mask_token, 64))
            curve.recipes.append(step * config.batch_size)
            curve.above.append((losses - validation.nats).mean().item())
        if clock.used() == 1:
            break
    bar.close()
    return model.eval(), curve, step * config.batch_size


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)  # weights of attention below the normal numbers are slow on a CPU
    corpus = CookbookCorpus(cookbook_tokenizer(config.vocab_size), validation_recipes=config.recipes)
    places = torch.Generator().manual_seed(config.seed)
    validation = draw_holes(corpus, "validation", min(64, config.recipes), min(8, config.holes), places)
    holes = draw_holes(corpus, "test", config.recipes, config.holes, places)
    if not holes.nats.any():
        raise ValueError(f"some hole must leave a choice; none of {len(holes.places)} does: test on more --holes")
    model, curve, read = train(config, corpus, validation)
    nats = nats_of_holes(model, holes.batches(corpus.tokenizer.vocab_size, 64))
    optimum, loss = holes.nats.mean().item(), nats.mean().item()
    share = parts(holes, torch.ones_like(nats))
    best, ours = parts(holes, holes.nats), parts(holes, nats)
    print(f"{read:,} recipes read; one hole: {loss:.4f} nats, optimum {optimum:.4f}: {loss / optimum - 1:.1%} above it")
    for kind in KINDS:
        print(f"{kind:22}{share[kind]:6.1%} of holes, optimum {best[kind]:.4f}, BERT {ours[kind]:.4f}")
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Results(parameters, read, optimum, loss, loss / optimum - 1, share, best, ours, curve)


def plot(results: Results) -> Figure:
    """Draw the loss above the optimum while it trains, and its parts at the end."""
    figure, (left, right) = new_figure(10.0, 3.8, columns=2)
    left.plot(results.curve.recipes, [max(nats, 1e-4) for nats in results.curve.above], marker="o", color="C0")
    left.axhline(0.25 * results.optimum, color="grey", linestyle=":")
    left.text(
        results.curve.recipes[0] if results.curve.recipes else 0,
        0.25 * results.optimum,
        " a quarter of the optimum",
        va="bottom",
        fontsize=9,
    )
    left.set(xlabel="recipes read", ylabel="nats above the optimum", title="one hole, validation", yscale="log")
    for index, kind in enumerate(KINDS):
        right.barh(kind, results.loss_kinds[kind], color="C0", alpha=0.35, label="BERT" if index == 0 else None)
        right.barh(kind, results.optimum_kinds[kind], 0.45, color="C1", label="optimum" if index == 0 else None)
    right.invert_yaxis()
    right.set(xlabel="nats per hole", title="parts of each kind, test")
    right.legend()
    return figure


TOLERANCE = {
    "*": TRAINED, "curve*": TIMING, "recipes": TIMING, "parameters": EXACT, "share*": ROUNDING, "optimum*": ROUNDING,
    "above_the_optimum": TIMING, "loss*": TIMING,
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
