"""What does training look like when the masking or its loss is wrong? Five versions, one honest measure.

    uv run sprints/19_transformer_variants/wrong_masking.py
    uv run sprints/19_transformer_variants/wrong_masking.py --preset full
    uv run sprints/19_transformer_variants/wrong_masking.py --arms right padding

A small BERT fills holes in sentences of recipes. Each version trains on the same sentences; then all are measured by
the loss of masked words alone. By default each is trained once, all with one rate, and small differences are luck;
`--preset full` has five runs of each after the same search for its rate. Theory: notes/01_masked_language_models.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from pydantic import Field
from torch.nn import functional
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST, AtLeastTwo, Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.bert import BertConfig, MaskedLanguageModel
from shared.text.corpora import cookbook_tokenizer
from variants.masking_faults import NAMES, Batch, Fault, spoil, summed_loss
from variants.sentences import Sentences, sentence_batches
from variants.trials import fit, search_and_repeat

PRESETS = {"full": {"rates": (1e-3, 3e-3), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[Fault, ...], Different] = ("right", "never_random", "times_mask", "padding", "everything")
    vocab_size: PositiveInt = 1024  # tokens of the tokenizer
    recipes: AtLeastTwo = 600  # whose sentences are trained on; a quarter as many are measured on
    d_model: PositiveInt = 64  # features of a token, a multiple of 4
    layers: PositiveInt = 2  # blocks
    steps: PositiveInt = 600  # optimizer steps
    batch_size: PositiveInt = 32  # sentences of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates that are tried
    measured: Annotated[int, Field(ge=50, le=MOST)] = 1024  # new sentences that are measured
    seeds: PositiveInt = 1  # runs of each version

    def check(self) -> None:
        check_heads(self.d_model, 4)


@dataclass(frozen=True)
class Run:
    """The loss of new sentences as the version itself computes it, and of words masked, changed, still there."""

    printed: float
    masked: float
    changed: float
    kept: float


@dataclass(frozen=True)
class Arm:
    rate: float
    searched: dict[str, float]
    runs: list[Run]
    means: dict[str, MeanInterval]


@dataclass(frozen=True)
class Results:
    padding: float
    unigram: float
    arms: dict[str, Arm]


@torch.no_grad()
def measure(model: MaskedLanguageModel, fault: Fault, sentences: Sentences, config: Config) -> Run:
    """Return the loss of new sentences as the version computes it, and by what became of a word."""
    generator = torch.Generator().manual_seed(config.seed)  # the same holes for all versions
    rows = next(sentence_batches(sentences.validation, sentences.specials, config.measured, generator))
    own, divisor = summed_loss(model.eval(), spoil(rows, fault, sentences.specials, generator))
    inputs, real, tokens, chosen, _ = spoil(rows, "right", sentences.specials, generator)
    losses = functional.cross_entropy(model.at(chosen, inputs, real), tokens[chosen], reduction="none")
    masked, kept = inputs[chosen] == sentences.specials.mask, inputs[chosen] == tokens[chosen]
    fates = {"masked": masked, "changed": ~masked & ~kept, "kept": kept}
    return Run(own.item() / divisor, **{name: losses[which].mean().item() for name, which in fates.items()})


def train(config: Config, sentences: Sentences, fault: Fault, rate: float, seed: int) -> Run:
    generator = seed_everything(seed)
    size = BertConfig(sentences.specials.vocab_size, sentences.longest, config.layers, 4, config.d_model)
    model = MaskedLanguageModel(size, generator)
    rows = sentence_batches(sentences.train, sentences.specials, config.batch_size, generator)

    def batches() -> Iterator[Batch]:
        while True:
            yield spoil(next(rows), fault, sentences.specials, generator)

    training = fit(model, batches(), summed_loss, config.steps, rate)
    for _ in tqdm(training, total=config.steps, desc=f"{fault}, rate {rate:g}, seed {seed}"):
        pass
    return measure(model, fault, sentences, config)


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # tiny shapes
    tokenizer = cookbook_tokenizer(config.vocab_size, config.recipes)
    sentences = Sentences.of_recipes(tokenizer, config.recipes, max(1, config.recipes // 4))
    batch = next(sentence_batches(sentences.train, sentences.specials, 512, torch.Generator().manual_seed(0)))
    padding, arms = 1 - batch.real.float().mean().item(), {}
    for fault in config.arms:
        trials = search_and_repeat(
            partial(train, config, sentences, fault),
            lambda found: found.masked,
            config.rates,
            config.seeds,
            config.seed,
        )
        fields = ("printed", "masked", "changed", "kept")
        means = {name: mean_interval([getattr(found, name) for found in trials.runs]) for name in fields}
        arms[NAMES[fault]] = Arm(trials.rate, trials.searched, trials.runs, means)
        print(NAMES[fault], {name: show_interval(*interval, ".3f") for name, interval in means.items()})
    return Results(padding, sentences.unigram_entropy(), arms)


if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance={"arms.*": TRAINED})
