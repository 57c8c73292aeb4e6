"""How much of a cookbook does each kind of model learn, and where does it lose the rest?

    uv run sprints/18_sequence_models/cookbook.py
    uv run sprints/18_sequence_models/cookbook.py --preset full
    uv run sprints/18_sequence_models/cookbook.py --preset equal-tokens
    uv run sprints/18_sequence_models/cookbook.py --arms mamba --seconds 60

All have about the same number of parameters, and equal seconds or equal tokens; n-grams and the exact optimum stand
beside them. By default an LSTM and a GPT of 400,000 parameters have 25 seconds each and sprint 9's learning rates, and
end behind the 5-gram: that shows where each loses, and not what each can learn. `--preset full` has five kinds of a
million parameters and three minutes each, after a search of the rates on validation recipes that is the same for all.
Test recipes are read once. Theory: notes/16_the_cookbook.md
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from sequences.cookbook_models import NAMES, CookbookArm, build, optimizers_of, width_for
from sequences.kinds_of_loss import KindLoss, by_kind, model_nats, ngram_nats, optimum_by_kind
from shared.lab.compare import EXACT, ROUNDING, TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, Fraction, PositiveFloat, PositiveInt, Seed
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.ngrams import KneserNey
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.schedules import warmup_linear

FULL = {
    "arms": ("rnn", "lstm", "gru", "mamba", "gpt"), "seconds": 180.0, "parameters": 1_080_000,
    "factors": (0.5, 1.0, 2.0), "recipes": 256, "ngram_tokens": 2_000_000,
}  # fmt: skip
PRESETS = {"full": FULL, "equal-tokens": FULL | {"budget": "tokens", "arms": ("lstm", "mamba", "gpt"), "search": 0.05}}
WARMUP = 20  # steps until the learning rate is at its peak


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[CookbookArm, ...], Different] = ("lstm", "gpt")  # kinds of model
    budget: Literal["seconds", "tokens"] = "seconds"  # what is equal for all
    seconds: PositiveFloat = 25.0  # of each training, if seconds are equal
    steps: PositiveInt = 800  # of each training, if tokens are equal
    parameters: PositiveInt = 400_000  # of each model, about
    factors: Annotated[tuple[PositiveFloat, ...], Different] = (1.0,)  # of sprint 9's learning rates, tried
    search: Fraction = 0.15  # of the budget, for each rate that is tried
    search_seed: Seed = 1000  # weights of the search
    batch_size: PositiveInt = 16  # recipes of a batch
    recipes: PositiveInt = 128  # to validate on, and as many to test on
    ngram_tokens: PositiveInt = 500_000  # tokens that the n-grams are fitted to
    vocab_size: AtLeastTwo = 2048  # tokens of the vocabulary
    context: PositiveInt = 256  # the most tokens of a recipe

    def check(self) -> None:
        if self.search == 0 and len(self.factors) > 1:
            raise ValueError("--search must be above 0 where several --factors are tried; or give one factor")


@dataclass(frozen=True)
class Learner:
    """A model: its size, the search, the test loss in nats per token, and its parts by kind."""

    parameters: int
    width: int
    factor: float
    searched: dict[str, float]
    tokens: int
    training_seconds: float
    loss: float
    kinds: dict[str, float]


@dataclass(frozen=True)
class Results:
    optimum: float
    shares: dict[str, float]
    optimum_kinds: dict[str, float]
    ngrams: dict[str, KindLoss]
    models: dict[str, Learner]


def steps_within(
    model: nn.Module, corpus: CookbookCorpus, config: Config, factor: float, share: float
) -> Iterator[int]:
    """Train within a share of the budget, and yield the targets read so far."""
    read, began = 0, time.perf_counter()
    steps, seconds = max(1, round(share * config.steps)), share * config.seconds

    def by_the_clock(step: int) -> float:
        """The rate falls with the time that is left: nobody knows beforehand how many steps fit in."""
        return min(1.0, (step + 1) / WARMUP) * max(0.0, 1 - (time.perf_counter() - began) / seconds)

    def counted(model: nn.Module, batch) -> tuple[torch.Tensor, int]:
        nonlocal read
        loss, targets = language_model_loss(model, batch)
        read += targets
        return loss, targets

    timed = config.budget == "seconds"
    batches = corpus.train_batches(config.batch_size, config.context, torch.Generator())
    by_the_step = partial(warmup_linear, steps=steps, warmup=min(WARMUP, steps - 1))
    trained = train_steps(
        model, batches, loss_function=counted, optimizers=optimizers_of(model, factor), steps=10**9 if timed else steps,
        schedule=by_the_clock if timed else by_the_step,
    )  # fmt: skip
    for _ in trained:
        yield read
        if timed and time.perf_counter() - began >= seconds:
            return


def learn(arm: CookbookArm, config: Config, corpus: CookbookCorpus) -> Learner:
    """Try each rate with a part of the budget, and train with the best one; the test recipes come last."""
    width = width_for(arm, config.vocab_size, config.parameters, config.context)
    searched: dict[str, float] = {}
    for factor in config.factors if len(config.factors) > 1 else ():
        seed_everything(config.search_seed)
        model = build(arm, config.vocab_size, width, config.context)
        for _ in tqdm(steps_within(model, corpus, config, factor, config.search), desc=f"{arm}, rates x {factor:g}"):
            pass
        searched[f"{factor:g}"] = evaluate_loss(model, corpus.validation_batches(64, config.context))[0]
    best = float(min(searched, key=lambda name: searched[name])) if searched else config.factors[0]
    seed_everything(config.seed)
    model, began = build(arm, config.vocab_size, width, config.context), time.perf_counter()
    *_, read = tqdm(steps_within(model, corpus, config, best, 1.0), desc=arm)
    seconds = time.perf_counter() - began
    found = by_kind(corpus, config.recipes, model_nats(model, corpus, config.recipes))
    return Learner(model.parameter_count(), width, best, searched, read, seconds, found.loss, found.kinds)


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)  # weights of attention below the normal numbers are slow on a CPU
    corpus = CookbookCorpus(cookbook_tokenizer(config.vocab_size), validation_recipes=config.recipes)
    shares, optimum = optimum_by_kind(corpus, config.recipes)
    documents, ngrams = corpus.train_documents(config.ngram_tokens), {}
    for order in (1, 5):
        ngram = KneserNey(order, config.vocab_size).fit(documents)
        ngrams[f"{order}-gram"] = by_kind(corpus, config.recipes, ngram_nats(ngram, corpus, config.recipes))
        print(f"{order}-gram {ngrams[f'{order}-gram'].loss:.3f} nats per token")
    models = {}
    for arm in config.arms:
        models[NAMES[arm]] = learner = learn(arm, config, corpus)
        print(f"{NAMES[arm]} {learner.loss:.3f} after {learner.tokens:,} tokens; optimum {optimum.loss:.3f}")
    return Results(optimum.loss, shares, optimum.kinds, ngrams, models)


def plot(results: Results) -> Figure:
    """Draw how far each model is above the optimum, by the kind of token; the bars of a model add up to its excess."""
    figure, axes = new_figure(9.0, 4.2)
    rows: dict[str, dict[str, float]] = {"5-gram": results.ngrams["5-gram"].kinds}
    rows |= {name: learner.kinds for name, learner in results.models.items()}
    left = [0.0] * len(rows)
    for index, kind in enumerate(results.optimum_kinds):
        lengths = [max(0.0, kinds[kind] - results.optimum_kinds[kind]) for kinds in rows.values()]
        axes.barh(list(rows), lengths, left=left, label=kind, color=f"C{index}")
        left = [start + length for start, length in zip(left, lengths, strict=True)]
    for row, end in enumerate(left):
        axes.text(end, row, f" {end:.2f}", va="center")
    axes.invert_yaxis()
    axes.set(xlabel="nats per token above the optimum, by kind of token", xlim=(0, 1.15 * max([*left, 0.01])))
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


TOLERANCE = {
    "models*": TRAINED, "models.*.parameters": EXACT, "models.*.width": EXACT, "models.*.factor": TIMING,
    "models.*.searched*": TIMING, "models.*.tokens": TIMING, "optimum*": ROUNDING, "ngrams*": ROUNDING,
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
