"""What do experts buy, and what do they sort words by? Texts of two voices, plain and flirty, half of each.

    uv run sprints/19_transformer_variants/two_voices.py
    uv run sprints/19_transformer_variants/two_voices.py --preset full
    uv run sprints/19_transformer_variants/two_voices.py --models experts unbalanced

All models read the same texts: one network as large as what a token uses of the experts, a network of that size for
each voice, the experts, the same without a balance loss, and one network as large as all experts together. The grammar
says which loss no model can beat. By default the experts and the smallest and the largest network are trained once,
with one rate: that shows what experts sort by, but the losses of single runs decide nothing. `--preset full` trains all
five, five times each, after the same search for each rate. Theory: notes/15_two_voices.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import ROUNDING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, Even, NonNegativeFloat, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.nn.mixtral import Mixtral, MixtralConfig
from shared.nn.mixture_of_experts import check_experts
from shared.training.losses import evaluate_loss
from variants.sorting import Sorting, sorting_of_layers, words_of_both
from variants.trials import fit, search_and_repeat
from variants.voice_models import NAMES, Kind, active_parameters, build
from variants.voices import TwoVoices, loss_with_balance

Dish = Literal["soup", "curry", "salad", "traybake", "pasta", "cake"]
WORD_TEXTS = 500  # training texts in which it is counted how often each voice uses a word
# What is guessed: the figure of a `Sorting`, and the one that it has to be compared with.
QUESTIONS = {
    "voice, from the expert\n(line: from the word)": ("voice", "voice_by_word"),
    "the same, words\nof both voices": ("shared_voice", "shared_voice_by_word"),
    "expert, from the word\n(line: the most loaded)": ("expert_by_word", "largest_load"),
}

PRESETS = {
    "full": {
        "models": ("small", "by_voice", "experts", "unbalanced", "large"), "rates": (4e-3, 1e-2, 2.5e-2), "seeds": 5,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    models: Annotated[tuple[Kind, ...], Different] = ("small", "experts", "large")  # which are trained
    dishes: Annotated[tuple[Dish, ...], Different] = ("soup", "cake")  # what is cooked: fewer make less to learn
    vocab_size: PositiveInt = 1024  # tokens of the vocabulary
    layers: PositiveInt = 2  # blocks
    heads: PositiveInt = 4  # attention heads of a block, half as many of keys and values
    d_model: PositiveInt = 64  # features of a token
    d_hidden: PositiveInt = 16  # hidden features of one expert
    experts: PositiveInt = 8  # of each block
    top_k: PositiveInt = 2  # experts that a token is sent to
    balance: NonNegativeFloat = 0.01  # weight of the balance loss beside that of a token
    steps: PositiveInt = 350  # optimizer steps
    batch_size: Even = 16  # texts of a batch, half of them of each voice
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-2,)  # learning rates that are tried
    measured: Even = 256  # texts that rates are chosen on, and as many others that losses are measured on
    seeds: PositiveInt = 1  # runs of each model, each with training texts of its own

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        check_experts(self.experts, self.top_k)
        if self.heads % 2:
            raise ValueError(
                f"two query heads share one of keys and values; got --heads {self.heads}: give an even number"
            )
        size_of_experts(self, self.vocab_size)  # an odd number of features of a head is refused there


@dataclass(frozen=True)
class Run:
    """The losses of a trained model in nats per token, and what each layer with experts sorts test texts by."""

    validation_loss: float
    loss: float
    layers: list[Sorting]


@dataclass(frozen=True)
class Model:
    """A model's size, the rate that was found, and its runs: nats per token above the optimum, and the sorting."""

    parameters: int
    active: int
    rate: float
    searched: dict[str, float]
    above: MeanInterval
    runs: list[Run]


@dataclass(frozen=True)
class Results:
    optimum: float
    words_of_both: int
    models: dict[str, Model]


def size_of_experts(config: Config, vocab_size: int) -> MixtralConfig:
    return MixtralConfig(
        vocab_size, layers=config.layers, heads=config.heads, key_value_heads=config.heads // 2, d_model=config.d_model,
        d_hidden=config.d_hidden, experts=config.experts, top_k=config.top_k,
    )  # fmt: skip


def train(config: Config, texts: TwoVoices, kind: Kind, rate: float, seed: int) -> Run:
    """Train one model on texts of its own; return its loss on the validation texts and its sorting."""
    vocab_size = texts.tokenizer.vocab_size
    model = build(kind, size_of_experts(config, vocab_size), torch.Generator().manual_seed(seed))
    batches = texts.train_batches(config.batch_size, start=seed * config.steps * config.batch_size)
    loss = partial(loss_with_balance, coefficient=config.balance if kind == "experts" else 0.0)
    for _ in tqdm(fit(model, batches, loss, config.steps, rate), total=config.steps, desc=f"{kind}, seed {seed}"):
        pass
    rows = {stream: texts.rows(stream, 0, config.measured) for stream in ("validation", "test")}
    losses = [evaluate_loss(model, [(each.tokens, each.real)])[0] for each in rows.values()]
    sorts: list[Sorting] = []
    if isinstance(model, Mixtral):
        both = words_of_both(texts.rows("train", 0, WORD_TEXTS), vocab_size)
        sorts = [*sorting_of_layers(model, rows["test"], both)]
    return Run(*losses, sorts)


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # of two processes at once each is faster with one
    texts, models = TwoVoices(config.dishes, config.vocab_size), {}
    optimum = texts.optimum("test", config.measured)
    vocab_size = texts.tokenizer.vocab_size
    for kind in config.models:
        run_once = partial(train, config, texts, kind)
        trials = search_and_repeat(run_once, lambda run: run.validation_loss, config.rates, config.seeds, config.seed)
        above = mean_interval([run.loss - optimum for run in trials.runs])
        model = build(kind, size_of_experts(config, vocab_size))
        sizes = model.parameter_count(), active_parameters(model)
        models[kind] = Model(*sizes, trials.rate, trials.searched, above, trials.runs)
        print(f"{NAMES[kind]}: {show_interval(*above, '.4f')} nats above the optimum of {optimum:.4f}")
    return Results(optimum, int(words_of_both(texts.rows("train", 0, WORD_TEXTS), vocab_size).sum()), models)


def plot(results: Results) -> Figure:
    """Draw the losses of all models, and what the experts of each layer tell of voice and word."""
    figure, (left, right) = new_figure(9.6, 4.0, columns=2)
    for index, (kind, model) in enumerate(results.models.items()):
        left.errorbar(model.above[0], -index, xerr=error_bars([model.above[1]]), marker="o", capsize=3, color="C0")
        words = f"{NAMES[kind]}\n{model.parameters:,} weights, {model.active:,} a token"
        left.annotate(words, (0.02, -index + 0.18), xycoords=("axes fraction", "data"), fontsize=8, va="bottom")
    left.set(
        xlabel="nats per token above the optimum", yticks=[], xlim=(0, None), ylim=(0.6 - len(results.models), 0.8)
    )
    runs = results.models["experts"].runs if "experts" in results.models else []
    for place, (right_name, base_name) in enumerate(QUESTIONS.values()):
        for layer in range(len(runs[0].layers) if runs else 0):
            values, bases = ([vars(run.layers[layer])[name] for run in runs] for name in (right_name, base_name))
            mean, half = mean_interval(values)
            at = place + 0.25 * (layer - 0.5)
            right.bar(at, mean, 0.22, yerr=error_bars([half]), capsize=3, color=COLOURS[layer])
            right.plot([at - 0.11, at + 0.11], [mean_interval(bases)[0]] * 2, color="black", linewidth=2)
            if place == 0:
                right.text(at, 0.03, f"layer {layer + 1}", rotation=90, ha="center", va="bottom", color="white")
    right.set(ylabel="right guesses", ylim=(0, 1.02), xticks=range(len(QUESTIONS)))
    right.set_xticklabels([*QUESTIONS], fontsize=8)
    return figure


TOLERANCE = {"models.*": TRAINED, "*parameters": ROUNDING, "*active": ROUNDING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
